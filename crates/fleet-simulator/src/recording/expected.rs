//! What the `client-disconnect` scripts of a recording state, and nothing else: the yardstick for everything that the same
//! recording gives by other ways.

use std::net::IpAddr;

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::load::Recording;
use agent_api::rfc3339;
use openvpn::environment::Environment;

/// A session as its end script states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedSession {
    pub server_instance: String,
    pub common_name: String,
    #[serde(serialize_with = "rfc3339")]
    pub connected_at: OffsetDateTime,
    /// `connected_at` and the daemon's own duration.
    #[serde(serialize_with = "rfc3339")]
    pub disconnected_at: OffsetDateTime,
    pub duration_seconds: u64,
    /// `bytes_received`
    pub bytes_in: u64,
    /// `bytes_sent`
    pub bytes_out: u64,
    /// Where the client was in the end.
    pub real_ip: Option<IpAddr>,
    pub real_port: Option<u16>,
    pub virtual_ip: Option<IpAddr>,
    pub virtual_ip6: Option<IpAddr>,
    pub username: Option<String>,
}

/// One for each end script, except of clients that the server's configuration disables: those never had a session.
pub fn expected_sessions(recording: &Recording, server_name: &str) -> Vec<ExpectedSession> {
    let allowed = |environment: &&Environment| {
        environment
            .common_name()
            .is_some_and(|common_name| !recording.disabled.contains(common_name))
    };
    recording
        .disconnects
        .iter()
        .filter(allowed)
        .filter_map(|environment| stated(environment, server_name))
        .collect()
}

fn stated(environment: &Environment, server_name: &str) -> Option<ExpectedSession> {
    let connected_at = environment.connected_at()?;
    let duration_seconds = environment.number("time_duration")?;
    Some(ExpectedSession {
        server_instance: server_name.to_owned(),
        common_name: environment.common_name()?.to_owned(),
        connected_at,
        disconnected_at: connected_at.checked_add(Duration::seconds(i64::try_from(duration_seconds).ok()?))?,
        duration_seconds,
        bytes_in: environment.number("bytes_received")?,
        bytes_out: environment.number("bytes_sent")?,
        real_ip: environment.real_ip(),
        real_port: environment.real_port(),
        virtual_ip: environment.virtual_ip(),
        virtual_ip6: environment.virtual_ip6(),
        username: environment.text("username").map(str::to_owned),
    })
}
