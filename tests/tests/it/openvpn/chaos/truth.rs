//! What the daemon's own scripts wrote down, and whether the product says the same.

use std::cmp::Reverse;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;
use test_support::{Stack, eventually_within, shared_servers, test_namespace};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::timeout;

use crate::openvpn::Lab;

/// How long the product may take to know all.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// A session that lasted so long is in several lists, also when the agent was away for a while.
const LASTS: u64 = 10;

/// A connect is told as later than that of the client that had its address before, whoever's handshake began first: seconds.
const LATER: i64 = 3;

/// A script for `client-connect` and `client-disconnect` that writes down what the daemon says before the agent hears of it.
pub(super) fn witness(then_hook: bool) -> String {
    let path = shared_servers().directory.join(format!("witness-{}", test_namespace()));
    let agent = shared_servers().binaries.join("agent");
    let then = match then_hook {
        true => format!("exec {} hook --state-dir \"$1/agent\"", agent.display()),
        false => "exit 0".to_owned(),
    };
    let line = "printf '%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t%s\\n' \"$script_type\" \"$common_name\" \"$time_unix\" \
                \"$ifconfig_pool_remote_ip\" \"$daemon_pid\" \"$time_duration\" \"$bytes_received\" \"$bytes_sent\"";
    fs::write(&path, format!("#!/bin/sh\n{line} >> \"$1/truth\"\n{then}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{} {{folder}}", path.display())
}

/// One session as the daemon knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    common_name: String,
    connected_at: i64,
    virtual_ip: String,
    pid: String,
    /// Seconds, bytes in, bytes out.
    end: Option<(u64, u64, u64)>,
    /// Its daemon was killed.
    is_lost: bool,
}

/// All sessions of the daemon's lives.
#[derive(Debug)]
pub(super) struct Truth(Vec<Known>);

impl Truth {
    pub(super) fn read(lab: &Lab) -> Self {
        let pid = lab.server_pid().to_string();
        let mut sessions: Vec<Known> = Vec::new();
        for line in fs::read_to_string(lab.file("truth")).unwrap_or_default().lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let number = |index: usize| cells[index].parse().unwrap_or_default();
            let said = Known {
                common_name: cells[1].to_owned(),
                connected_at: cells[2].parse().unwrap(),
                virtual_ip: cells[3].to_owned(),
                pid: cells[4].to_owned(),
                end: None,
                is_lost: cells[4] != pid,
            };
            match cells[0] {
                "client-connect" => sessions.push(said),
                _ => {
                    let open = sessions.iter_mut().rev().find(|session| **session == said);
                    open.expect("it has connected").end = Some((number(5), number(6), number(7)));
                }
            }
        }
        Self(sessions)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a VPN user is connected.
    pub(super) fn has(&self, common_name: &str) -> bool {
        self.0
            .iter()
            .any(|session| session.common_name == common_name && session.is_open())
    }

    /// What the product says otherwise.
    fn differences(&self, told: &[Value], exactly: bool) -> Vec<String> {
        let mut left: Vec<&Value> = told.iter().collect();
        let mut differences = Vec::new();
        // What lasted first: the product need not know one that did not, and was like another in all else.
        let mut sessions: Vec<&Known> = self.0.iter().collect();
        sessions.sort_by_key(|session| Reverse(session.end.map_or(u64::MAX, |(seconds, ..)| seconds)));
        for session in sessions {
            // Several may be alike in all but their counters.
            let same = left
                .iter()
                .position(|told| session.is_told(told) && session.agrees(told, exactly));
            match same.or_else(|| left.iter().position(|told| session.is_told(told))) {
                Some(index) => {
                    let told = left.remove(index);
                    if !session.agrees(told, exactly) {
                        differences.push(format!("{session:?} is told as {told}"));
                    }
                }
                None if exactly || session.lasts() => differences.push(format!("{session:?} is missing")),
                None => {}
            }
        }
        differences.extend(left.iter().map(|told| format!("never was, or is doubled: {told}")));
        differences
    }
}

impl Known {
    fn is_open(&self) -> bool {
        self.end.is_none() && !self.is_lost
    }

    fn lasts(&self) -> bool {
        self.is_open() || self.end.is_some_and(|(seconds, ..)| seconds >= LASTS)
    }

    fn is_told(&self, told: &Value) -> bool {
        let at = OffsetDateTime::parse(told["connected_at"].as_str().unwrap(), &Rfc3339).unwrap();
        told["common_name"] == self.common_name.as_str()
            && (self.connected_at..=self.connected_at + LATER).contains(&at.unix_timestamp())
            && told["virtual_ip"] == self.virtual_ip.as_str()
    }

    fn agrees(&self, told: &Value, exactly: bool) -> bool {
        let status = if self.is_open() { "active" } else { "disconnected" };
        let numbers = ["duration_seconds", "bytes_in", "bytes_out"].map(|name| told[name].as_u64());
        let counted = match self.end {
            Some((seconds, bytes_in, bytes_out)) if exactly => {
                numbers == [Some(seconds), Some(bytes_in), Some(bytes_out)] && told["bytes_source"] == "final"
            }
            Some((_, bytes_in, bytes_out)) => {
                numbers[1].is_none_or(|told| told <= bytes_in) && numbers[2].is_none_or(|told| told <= bytes_out)
            }
            None => true,
        };
        told["session_status"] == status && counted
    }
}

/// Waits until the product tells the truth, and nothing else.
pub(super) async fn reached(stack: &Stack, lab: &Lab, exactly: bool, when: &str) {
    let mut differences = Vec::new();
    let same = eventually_within(PATIENCE * 2, when, async || {
        let list = stack.api().get("/api/sessions?per_page=500&sort=connected_at").await;
        let told = list["sessions"].as_array().cloned().unwrap_or_default();
        differences = Truth::read(lab).differences(&told, exactly);
        differences.is_empty().then_some(())
    });
    let same = timeout(PATIENCE, same).await;
    assert!(same.is_ok(), "{when}: the product tells it otherwise: {differences:#?}");
}
