//! What survives a restart of the agent.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Boot;
use super::session::{Details, Key, Tracked, millis};

/// Everything that has to survive a restart of the agent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Memory {
    pub boot: Option<Boot>,
    #[serde(default)]
    pub(super) earlier: Vec<(i64, u64)>,
    /// JSON has no structured keys: a list.
    pub(super) sessions: Vec<(Key, Tracked)>,
    pub(super) ended: Vec<(Uuid, bool)>,
    /// The latest time that an update or a snapshot has stated, milliseconds since 1970.
    #[serde(default)]
    pub(super) latest: Option<i64>,
}

impl Memory {
    /// Takes in an event that was put on disk after this memory.
    pub fn relive(&mut self, event: &serde_json::Value) {
        let text = |name: &str| event[name].as_str();
        let id = text("session_id")
            .or_else(|| text("event_id"))
            .and_then(|id| id.parse().ok());
        match (text("type"), id) {
            (Some("SESSION_UPDATED" | "SESSION_SNAPSHOT"), _) => {
                self.latest = self.latest.max(time_of(event).map(millis));
            }
            (Some("SESSION_CONNECTED"), Some(id)) => self.sessions.extend(relived(id, event)),
            (Some("SESSION_DISCONNECTED"), Some(id)) => {
                self.sessions.retain(|(_, session)| session.id != id);
                self.ended.push((id, text("bytes_source") == Some("final")));
            }
            (Some(life @ ("SERVER_STARTED" | "SERVER_STOPPED")), _) => {
                // As when it happened: a life's own sessions may have been told before it.
                let began_at = time_of(event).filter(|_| life == "SERVER_STARTED");
                let before = began_at.map_or(i64::MAX, OffsetDateTime::unix_timestamp);
                let over = self.sessions.extract_if(.., |(key, _)| key.connected_at < before);
                self.ended.extend(over.map(|(_, session)| (session.id, false)));
            }
            _ => {}
        }
    }
}

fn time_of(event: &serde_json::Value) -> Option<OffsetDateTime> {
    let text = event["event_time_vpn"].as_str()?;
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
}

fn relived(id: Uuid, event: &serde_json::Value) -> Option<(Key, Tracked)> {
    let address = |name: &str| event[name].as_str().and_then(|text| text.parse().ok());
    let at = time_of(event)?;
    let key = Key {
        common_name: event["common_name"].as_str()?.to_owned(),
        connected_at: at.unix_timestamp(),
        virtual_ip: address("virtual_ip").or_else(|| address("virtual_ip6")),
        nth: 0,
    };
    let session = Tracked {
        id,
        cid: event["cid"].as_u64(),
        real_ip: address("real_ip"),
        real_port: event["real_port"].as_u64().and_then(|port| port.try_into().ok()),
        virtual_ip6: address("virtual_ip6"),
        bytes_in: event["bytes_in"].as_u64(),
        bytes_out: event["bytes_out"].as_u64(),
        read_at: millis(at),
        told: (None, None, millis(at)),
        details: Details::default(),
        ending: None,
        missing_since: None,
    };
    Some((key, session))
}
