//! The daemon's status: `status 1`, `status 2`, `status 3` and the `--status` file in each of these versions.

mod version_1;

use std::collections::HashMap;
use std::net::IpAddr;

use time::OffsetDateTime;

use crate::environment::unix_seconds;
use crate::real_address::RealAddress;

/// The full list of clients at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReport {
    /// 1, 2 or 3.
    pub version: u8,
    /// When the daemon wrote it, in whole seconds.
    pub at: OffsetDateTime,
    /// `OpenVPN 2.6.14 …`; version 1 does not say.
    pub daemon: Option<String>,
    /// The kernel moves the data, and counters may stand still; daemons before 2.6 do not say.
    pub dco: Option<bool>,
    pub clients: Vec<ListedClient>,
}

/// One client of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedClient {
    pub common_name: String,
    pub real_ip: Option<IpAddr>,
    /// Missing for IPv6: daemons before 2.7 print those addresses without their port.
    pub real_port: Option<u16>,
    pub virtual_ip: Option<IpAddr>,
    pub virtual_ip6: Option<IpAddr>,
    pub bytes_received: Option<u64>,
    pub bytes_sent: Option<u64>,
    pub connected_at: Option<OffsetDateTime>,
    pub username: Option<String>,
    pub cid: Option<u64>,
    pub cipher: Option<String>,
}

impl ListedClient {
    /// Clients that are still connecting, or were refused, are listed too; they hold no virtual address.
    pub fn is_session(&self) -> bool {
        !matches!(self.common_name.as_str(), "" | "UNDEF") && (self.virtual_ip.is_some() || self.virtual_ip6.is_some())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    #[error("this is not a status report")]
    UnknownFormat,
    #[error("the status report does not end with END")]
    Unfinished,
    #[error("the status report does not say when it was written")]
    NoTime,
    /// A list with a row left out would end the session in it.
    #[error("cannot read the row `{0}`")]
    MalformedRow(String),
}

/// Reads a whole report of any version, with either line end.
pub fn parse_status(text: &str) -> Result<StatusReport, StatusError> {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    if !lines.contains(&"END") {
        return Err(StatusError::Unfinished);
    }
    match lines.first().copied().unwrap_or_default() {
        "OpenVPN CLIENT LIST" => version_1::parse(&lines),
        title if title.starts_with("TITLE,") => parse_rows(2, ',', &lines),
        title if title.starts_with("TITLE\t") => parse_rows(3, '\t', &lines),
        _ => Err(StatusError::UnknownFormat),
    }
}

fn parse_rows(version: u8, separator: char, lines: &[&str]) -> Result<StatusReport, StatusError> {
    let (mut at, mut daemon, mut dco) = (None, None, None);
    let mut columns = Vec::new();
    let mut clients = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.split(separator).collect();
        match cells.as_slice() {
            ["TITLE", title, ..] => daemon = Some((*title).to_owned()),
            ["GLOBAL_STATS", "dco_enabled", enabled] => dco = Some(*enabled != "0"),
            ["TIME", .., seconds] => at = seconds.parse().ok().and_then(unix_seconds),
            ["HEADER", "CLIENT_LIST", names @ ..] => columns = names.to_vec(),
            ["CLIENT_LIST", values @ ..] => {
                let row = Row::new(&columns, values).ok_or_else(|| StatusError::MalformedRow((*line).to_owned()))?;
                clients.push(row.client());
            }
            _ => {}
        }
    }
    Ok(StatusReport {
        version,
        at: at.ok_or(StatusError::NoTime)?,
        daemon,
        dco,
        clients,
    })
}

/// A row with its columns named.
struct Row<'a> {
    common_name: String,
    cells: HashMap<&'a str, &'a str>,
}

impl<'a> Row<'a> {
    /// Nothing is quoted, so surplus separators are taken to be part of the common name, the first column. `None` when the
    /// columns after it do not make sense then.
    fn new(columns: &[&'a str], values: &[&'a str]) -> Option<Self> {
        let surplus = values.len().checked_sub(columns.len())?;
        let (name, rest) = values.split_at_checked(surplus + 1)?;
        let cells: HashMap<&str, &str> = columns.iter().skip(1).copied().zip(rest.iter().copied()).collect();
        let readable = RealAddress::parse(cells.get("Real Address")?).is_some()
            && ["Bytes Received", "Bytes Sent"]
                .iter()
                .all(|name| number(cells.get(name)).is_some());
        readable.then(|| Self {
            common_name: name.join(","),
            cells,
        })
    }

    fn client(&self) -> ListedClient {
        let cell = |name: &str| self.cells.get(name);
        let real = cell("Real Address").and_then(|text| RealAddress::parse(text));
        ListedClient {
            common_name: self.common_name.clone(),
            real_ip: real.map(|real| real.ip),
            real_port: real.and_then(|real| real.port),
            virtual_ip: cell("Virtual Address").and_then(|text| text.parse().ok()),
            virtual_ip6: cell("Virtual IPv6 Address").and_then(|text| text.parse().ok()),
            bytes_received: number(cell("Bytes Received")),
            bytes_sent: number(cell("Bytes Sent")),
            connected_at: number(cell("Connected Since (time_t)")).and_then(unix_seconds),
            username: known(cell("Username")),
            cid: number(cell("Client ID")),
            cipher: known(cell("Data Channel Cipher")),
        }
    }
}

fn known(text: Option<&&str>) -> Option<String> {
    text.filter(|text| !text.is_empty() && **text != "UNDEF")
        .map(|text| (*text).to_owned())
}

fn number(text: Option<&&str>) -> Option<u64> {
    text?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(lines: &[&str]) -> Result<StatusReport, StatusError> {
        parse_status(&lines.join("\r\n"))
    }

    const HEADER: &str = "HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,Bytes Received,Bytes Sent,Connected Since,Connected Since (time_t),Username,Client ID,Peer ID,Data Channel Cipher";

    #[test]
    fn a_comma_in_a_common_name_does_not_shift_the_columns() {
        let row = "CLIENT_LIST,Doe, John,198.18.0.11:33360,10.66.0.2,,90,80,2026-11-21 22:35:57,1795300557,UNDEF,0,0,AES-256-GCM";
        let list = report(&[
            "TITLE,OpenVPN",
            "TIME,2026-11-21 22:35:57,1795300557",
            HEADER,
            row,
            "END",
        ])
        .unwrap();
        assert_eq!(list.clients[0].common_name, "Doe, John");
        assert_eq!(list.clients[0].real_port, Some(33360));
        assert_eq!(list.clients[0].bytes_received, Some(90));

        let list = report(&[
            "OpenVPN CLIENT LIST",
            "Updated,2026-11-21 22:35:57",
            "Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since",
            "Doe, John,198.18.0.11:33360,90,80,2026-11-21 22:35:57",
            "ROUTING TABLE",
            "Virtual Address,Common Name,Real Address,Last Ref",
            "10.66.0.2,Doe, John,198.18.0.11:33360,2026-11-21 22:35:58",
            "END",
        ])
        .unwrap();
        assert_eq!(list.clients[0].common_name, "Doe, John");
        assert_eq!(list.clients[0].virtual_ip, Some([10, 66, 0, 2].into()));
    }

    #[test]
    fn a_list_that_cannot_be_read_completely_is_no_list() {
        let row = "CLIENT_LIST,jdoe,not an address,10.66.0.2,,90,80,x,1795300557,UNDEF,0,0,AES-256-GCM";
        let lines = [
            "TITLE,OpenVPN",
            "TIME,2026-11-21 22:35:57,1795300557",
            HEADER,
            row,
            "END",
        ];
        assert_eq!(report(&lines), Err(StatusError::MalformedRow(row.to_owned())));
        assert_eq!(report(&lines[..3]), Err(StatusError::Unfinished));
        assert_eq!(report(&["TITLE,OpenVPN", HEADER, "END"]), Err(StatusError::NoTime));
        assert_eq!(report(&["hello", "END"]), Err(StatusError::UnknownFormat));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(
            title in "(TITLE,|TITLE\t|OpenVPN CLIENT LIST|.{0,9})",
            lines in proptest::collection::vec("(TIME|HEADER|CLIENT_LIST|ROUTING TABLE|Updated)?[,\ta-z0-9:.\u{fc}-]{0,60}", 0..12),
        ) {
            let _ = parse_status(&format!("{title}\n{}\nEND\n", lines.join("\n")));
        }
    }
}
