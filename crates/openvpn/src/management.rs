//! What an OpenVPN daemon says on its management interface. Notifications may stand between the lines of an answer.

mod transcript;

use std::net::IpAddr;

use time::OffsetDateTime;

pub use transcript::{TimedNotice, parse_transcript};

use crate::environment::{Environment, unix_seconds};
use crate::real_address::RealAddress;
use crate::status::{StatusReport, parse_status};

/// Something the daemon said that matters to sessions.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A client is through; or it was refused, which only the variable `time_duration` tells.
    Established {
        cid: u64,
        environment: Environment,
    },
    /// The client's own address, with `management-client-auth` only.
    Address {
        cid: u64,
        address: IpAddr,
    },
    /// Only with `management-client-auth`. Empty environment: denied.
    Disconnect {
        cid: u64,
        environment: Environment,
    },
    /// Absolute counters.
    ByteCount {
        cid: u64,
        received: u64,
        sent: u64,
    },
    /// The process restarts itself; client ids begin at 0 again.
    Restarting {
        /// By the daemon's clock, in whole seconds, as in its state history.
        at: OffsetDateTime,
    },
    Exiting,
    /// A log line by which a client's session is over.
    ClientEnded(ClientEnded),
    Status(StatusReport),
}

/// `CN/address SIGTERM[soft,reason] received, client-instance exiting`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientEnded {
    /// The log's own time, in whole seconds.
    pub at: OffsetDateTime,
    pub common_name: String,
    pub real: RealAddress,
    /// `delayed-exit`, `ping-restart`, `connection-reset`; empty after a kill.
    pub reason: String,
}

/// What one line from the daemon means.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    Notice(Notice),
    /// Part of the answer to a command: `SUCCESS: …`, `ERROR: …`, `END`, or a line of a longer answer.
    Answer(String),
    /// The line continues something, or is of no interest.
    Nothing,
}

/// Reads what the daemon says, line by line.
#[derive(Debug, Default)]
pub struct Reader {
    client: Option<ClientBlock>,
    status: Option<String>,
}

/// A `>CLIENT:` notification whose environment is still being read.
#[derive(Debug)]
struct ClientBlock {
    kind: String,
    cid: u64,
    environment: Environment,
}

/// No daemon lists so much; a longer report is damage, not to be kept in memory.
const MAX_REPORT_BYTES: usize = 64 << 20;

impl Reader {
    /// Takes in a line without its end. Lines that make no sense are passed over.
    pub fn read(&mut self, line: &str) -> Line {
        let notice = match line
            .strip_prefix('>')
            .and_then(|notification| notification.split_once(':'))
        {
            Some(("CLIENT", text)) => self.read_client(text),
            Some(("BYTECOUNT_CLI", text)) => byte_count(text),
            Some(("STATE", text)) => state(text),
            Some(("LOG", text)) => client_ended(text).map(Notice::ClientEnded),
            Some(_) => None,
            None => return self.read_answer(line),
        };
        notice.map_or(Line::Nothing, Line::Notice)
    }

    fn read_client(&mut self, text: &str) -> Option<Notice> {
        match (text.split_once(',')?, &mut self.client) {
            (("ENV", "END"), client) => client.take().and_then(ClientBlock::notice),
            (("ENV", assignment), Some(client)) => {
                client.environment.add(assignment);
                None
            }
            (("ENV", _), None) => None,
            (("ADDRESS", text), _) => own_address(text),
            ((kind, rest), client) => {
                *client = ClientBlock::begin(kind, rest);
                None
            }
        }
    }

    fn read_answer(&mut self, line: &str) -> Line {
        if line == "OpenVPN CLIENT LIST" || line.starts_with("TITLE,") || line.starts_with("TITLE\t") {
            self.status = Some(String::new());
        }
        let Some(status) = &mut self.status else {
            return Line::Answer(line.to_owned());
        };
        status.push_str(line);
        status.push('\n');
        if line != "END" && status.len() <= MAX_REPORT_BYTES {
            return Line::Nothing;
        }
        match parse_status(&self.status.take().unwrap_or_default()) {
            Ok(report) => Line::Notice(Notice::Status(report)),
            Err(_) => Line::Nothing,
        }
    }
}

/// A line of the cached log (`log N`): `epoch,flags,message`.
pub fn cached_log_line(line: &str) -> Option<ClientEnded> {
    client_ended(line)
}

/// A line of the state history (`state all`): seconds since 1970 and the state's name.
pub fn state_line(line: &str) -> Option<(u64, &str)> {
    let mut parts = line.split(',');
    Some((parts.next()?.parse().ok()?, parts.next()?))
}

impl ClientBlock {
    fn begin(kind: &str, rest: &str) -> Option<Self> {
        let cid = rest.split(',').next()?.parse().ok()?;
        Some(Self {
            kind: kind.to_owned(),
            cid,
            environment: Environment::default(),
        })
    }

    /// CONNECT and REAUTH ask for a decision and are no news of a session.
    fn notice(self) -> Option<Notice> {
        let Self { kind, cid, environment } = self;
        match kind.as_str() {
            "ESTABLISHED" => Some(Notice::Established { cid, environment }),
            "DISCONNECT" => Some(Notice::Disconnect { cid, environment }),
            _ => None,
        }
    }
}

/// `CID,address,1`; networks behind the client end with 0.
fn own_address(text: &str) -> Option<Notice> {
    let mut parts = text.split(',');
    let (cid, address, own) = (parts.next()?, parts.next()?, parts.next()?);
    (own == "1").then_some(Notice::Address {
        cid: cid.parse().ok()?,
        address: address.parse().ok()?,
    })
}

fn byte_count(text: &str) -> Option<Notice> {
    let mut numbers = text.split(',').map(|number| number.parse().ok());
    Some(Notice::ByteCount {
        cid: numbers.next()??,
        received: numbers.next()??,
        sent: numbers.next()??,
    })
}

fn state(text: &str) -> Option<Notice> {
    let (at, state) = state_line(text)?;
    match state {
        "RECONNECTING" => Some(Notice::Restarting { at: unix_seconds(at)? }),
        "EXITING" => Some(Notice::Exiting),
        _ => None,
    }
}

/// `epoch,flags,message`
fn client_ended(text: &str) -> Option<ClientEnded> {
    let mut parts = text.splitn(3, ',');
    let (epoch, _flags, message) = (parts.next()?, parts.next()?, parts.next()?);
    let (before, reason) = message
        .rsplit_once("] received, client-instance ")?
        .0
        .rsplit_once("[soft,")?;
    let (client, _signal) = before.rsplit_once(' ')?;
    let (common_name, real_address) = client.rsplit_once('/')?;
    Some(ClientEnded {
        at: unix_seconds(epoch.parse().ok()?)?,
        common_name: common_name.to_owned(),
        real: RealAddress::parse(real_address)?,
        reason: reason.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn notices(lines: &[&str]) -> Vec<Notice> {
        let text: String = lines
            .iter()
            .map(|line| format!("1795300557.250\t<\t{line}\r\n"))
            .collect();
        parse_transcript(&text).into_iter().map(|timed| timed.notice).collect()
    }

    #[test]
    fn notifications_may_stand_between_the_lines_of_an_answer() {
        let found = notices(&[
            "TITLE\tOpenVPN",
            ">BYTECOUNT_CLI:3,100,200",
            "TIME\t2026-11-21 22:35:57\t1795300557",
            ">LOG:1795300603,,jdoe@company.com/198.18.0.11:33360 SIGTERM[soft,delayed-exit] received, client-instance exiting",
            "END",
        ]);
        assert_eq!(
            found[0],
            Notice::ByteCount {
                cid: 3,
                received: 100,
                sent: 200
            }
        );
        let Notice::ClientEnded(ended) = &found[1] else {
            panic!("{found:?}")
        };
        assert_eq!(
            (ended.common_name.as_str(), ended.reason.as_str()),
            ("jdoe@company.com", "delayed-exit")
        );
        assert!(matches!(&found[2], Notice::Status(report) if report.version == 3));
    }

    #[test]
    fn a_request_for_authorisation_is_no_session_and_gives_away_no_password() {
        let found = notices(&[
            ">CLIENT:CONNECT,0,1",
            ">CLIENT:ENV,password=lab-secret-1",
            ">CLIENT:ENV,END",
            ">CLIENT:REAUTH,0,3",
            ">CLIENT:ENV,common_name=jdoe",
            ">CLIENT:ENV,END",
            ">CLIENT:ESTABLISHED,0",
            ">CLIENT:ENV,common_name=jdoe",
            ">CLIENT:ENV,password=lab-secret-1",
            ">CLIENT:ENV,END",
        ]);
        assert_eq!(found.len(), 1);
        assert!(!format!("{found:?}").contains("lab-secret"));
    }

    #[test]
    fn an_end_is_read_with_the_protocol_before_its_address() {
        let line = ">LOG:1795300603,,Doe, J./x/udp4:198.18.0.11:33360 SIGTERM[soft,delayed-exit] received, client-instance exiting";
        let found = notices(&[line]);
        let [Notice::ClientEnded(ended)] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(ended.common_name, "Doe, J./x");
        assert_eq!(Some(ended.real), RealAddress::parse("198.18.0.11:33360"));
    }

    #[test]
    fn a_client_without_a_common_name_has_no_session_to_end() {
        let line = ">LOG:1795300581,,198.18.0.18:55797 SIGUSR1[soft,tls-error] received, client-instance restarting";
        assert_eq!(notices(&[line]), []);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
            lines in proptest::collection::vec("(>CLIENT:(ENV,|ESTABLISHED,|ADDRESS,)?|>BYTECOUNT_CLI:|>STATE:|>LOG:|TITLE\t|END)?[^\n]{0,60}", 0..12),
            raw in "(?s).{0,200}",
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            notices(&lines);
            parse_transcript(&raw);
        }
    }
}
