//! Walks through a recording in the order of time and sorts what was said into boots and sessions.

use std::collections::HashMap;
use std::net::IpAddr;

use time::OffsetDateTime;

use super::boots::{Boot, Reading, RecordedSession, SeenReport};
use super::load::Recording;
use openvpn::environment::{Environment, unix_seconds};
use openvpn::management::{ClientEnded, Notice, TimedNotice};
use openvpn::status::StatusReport;

/// The boots of a recording, in the order of time.
pub(crate) fn boots(recording: &Recording) -> Vec<Boot> {
    let mut history = History {
        boots: vec![Boot::default()],
        addresses: HashMap::new(),
    };
    recording.notices.iter().for_each(|timed| history.take_in(timed));
    recording
        .connects
        .iter()
        .for_each(|environment| history.connect_script(environment));
    recording
        .disconnects
        .iter()
        .for_each(|environment| history.disconnect_script(environment));
    history.stop(recording.stopped_at);
    recording
        .status_files
        .iter()
        .for_each(|report| history.status_file(report));
    history.boots
}

struct History {
    /// Never empty.
    boots: Vec<Boot>,
    /// With `management-client-auth`, addresses come before the client is established.
    addresses: HashMap<u64, Vec<IpAddr>>,
}

impl History {
    fn current(&mut self) -> &mut Boot {
        self.boots.last_mut().expect("there is always a boot")
    }

    fn take_in(&mut self, timed: &TimedNotice) {
        let at = timed.at;
        self.current().began.get_or_insert(at);
        match &timed.notice {
            Notice::Established { cid, environment } => self.established(at, *cid, environment),
            Notice::Address { cid, address } => self.addresses.entry(*cid).or_default().push(*address),
            Notice::Disconnect { cid, environment } => {
                if let Some(session) = self.current().session_by_cid_mut(*cid) {
                    session.report_end(environment);
                }
            }
            Notice::ByteCount { cid, received, sent } => {
                let reading = Reading {
                    at,
                    cid: *cid,
                    received: *received,
                    sent: *sent,
                };
                self.current().readings.push(reading);
            }
            Notice::Restarting { .. } => self.begin_boot(at),
            Notice::Exiting => self.current().stopped = Some(at),
            Notice::ClientEnded(ended) => self.client_ended(ended),
            Notice::Status(report) => self.report(at, report),
        }
    }

    fn begin_boot(&mut self, at: OffsetDateTime) {
        self.addresses.clear();
        self.boots.push(Boot {
            began: Some(at),
            ..Boot::default()
        });
    }

    fn established(&mut self, at: OffsetDateTime, cid: u64, environment: &Environment) {
        self.recognise_daemon(at, environment);
        let addresses = self.addresses.remove(&cid).unwrap_or_default();
        let Some(mut session) = RecordedSession::from_environment(environment, at) else {
            return;
        };
        session.cid = Some(cid);
        session.virtual_ip = addresses.iter().copied().find(IpAddr::is_ipv4).or(session.virtual_ip);
        session.virtual_ip6 = addresses.iter().copied().find(IpAddr::is_ipv6).or(session.virtual_ip6);
        // Only the environment of an end has a duration: this client was refused.
        if environment.number("time_duration").is_some() {
            self.current().refused.push(session.key());
        } else {
            self.current().sessions.push(session);
        }
    }

    /// Another process is another boot, also when nobody saw it begin.
    fn recognise_daemon(&mut self, at: OffsetDateTime, environment: &Environment) {
        let Some(daemon) = environment.daemon() else { return };
        if self.current().daemon.is_some_and(|known| known != daemon) {
            self.begin_boot(at);
        }
        let first = self.boots.len() == 1;
        let boot = self.current();
        boot.daemon = Some(daemon);
        if first && let Some(started) = unix_seconds(daemon.0) {
            boot.began = boot.began.map(|began| began.min(started)).or(Some(started));
        }
    }

    fn client_ended(&mut self, ended: &ClientEnded) {
        let open =
            |session: &&mut RecordedSession| session.common_name == ended.common_name && session.logged_end.is_none();
        let mut candidates: Vec<_> = self.current().sessions.iter_mut().filter(open).collect();
        // A client that floated is logged with an address that only `status` has told.
        let index = candidates
            .iter()
            .position(|session| ended.real.is_of(session.real_ip, session.real_port));
        let index = index.or_else(|| (candidates.len() == 1 && candidates[0].ended_at().is_none()).then_some(0));
        if let Some(index) = index {
            candidates[index].logged_end = Some(ended.clone());
        }
    }

    /// Of several answers written in the same second, the most detailed counts.
    fn report(&mut self, seen_at: OffsetDateTime, report: &StatusReport) {
        let boot = self.current();
        for listed in &report.clients {
            let (Some(cid), Some(connected_at)) = (listed.cid, listed.connected_at) else {
                continue;
            };
            if let Some(session) = boot.session_by_cid_mut(cid) {
                session.connected_at = connected_at;
                session.real_port = session.real_port.or(listed.real_port);
            }
        }
        let rival = boot.reports.iter().position(|seen| seen.report.at == report.at);
        match rival {
            Some(index) if boot.reports[index].report.version > report.version => {}
            Some(index) => {
                boot.reports[index] = SeenReport {
                    seen_at,
                    report: report.clone(),
                }
            }
            None => boot.reports.push(SeenReport {
                seen_at,
                report: report.clone(),
            }),
        }
    }

    fn boot_at(&mut self, at: OffsetDateTime) -> &mut Boot {
        let later = self
            .boots
            .iter()
            .skip(1)
            .take_while(|boot| boot.began.is_none_or(|began| began <= at))
            .count();
        &mut self.boots[later]
    }

    fn connect_script(&mut self, environment: &Environment) {
        let Some(session) = scripted_session(environment) else {
            return;
        };
        let boot = self.boot_at(session.connected_at);
        match boot.session_by_key_mut(&session.key()) {
            Some(known) => known.learn(environment),
            None => boot.sessions.push(session),
        }
    }

    fn disconnect_script(&mut self, environment: &Environment) {
        let Some(mut session) = scripted_session(environment) else {
            return;
        };
        let boot = self.boot_at(session.connected_at);
        if boot.refused.contains(&session.key()) {
            return;
        }
        match boot.session_by_key_mut(&session.key()) {
            Some(known) => {
                known.report_end(environment);
            }
            // Nobody told of its connect, but its end states it as well.
            None if session.report_end(environment) => boot.sessions.push(session),
            None => {}
        }
    }

    fn stop(&mut self, stopped_at: Option<OffsetDateTime>) {
        let boot = self.current();
        if boot
            .began
            .is_some_and(|began| stopped_at.is_some_and(|stopped| stopped > began))
        {
            boot.stopped = boot.stopped.or(stopped_at);
        }
    }

    /// A dead daemon leaves its file behind: one from the second of the end proves nothing.
    fn status_file(&mut self, report: &StatusReport) {
        let boot = self.boot_at(report.at);
        if boot
            .stopped
            .is_some_and(|stopped| report.at.unix_timestamp() >= stopped.unix_timestamp())
        {
            return;
        }
        if boot.reports.iter().all(|seen| seen.report.at != report.at) {
            boot.reports.push(SeenReport {
                seen_at: report.at,
                report: report.clone(),
            });
        }
    }
}

fn scripted_session(environment: &Environment) -> Option<RecordedSession> {
    RecordedSession::from_environment(environment, environment.connected_at()?)
}
