//! What clients say.

use serde::Deserialize;

/// Longest list of rooms of one socket.
pub(crate) const MOST_ROOMS: usize = 100;
/// As long as a VPN server's name may be.
const NAME_LENGTH: usize = 63;

/// A message from a client.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum ClientFrame {
    /// The first message, and again to renew the token.
    Authenticate {
        token: String,
        /// Where the client was before it came back; counts in the first message only.
        #[serde(default)]
        last_position: Option<String>,
        /// What the client can unpack; counts in the first message only. What is not known here is passed over.
        #[serde(default)]
        compression: Option<String>,
    },
    JoinServerRoom(Room),
    LeaveServerRoom(Room),
    GetActiveSessions,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Room {
    /// Name of the VPN server.
    #[serde(alias = "server_id")]
    pub(crate) server_instance: String,
}

/// Why a message cannot be read, for the client.
pub(crate) type Complaint = String;

impl ClientFrame {
    pub(crate) fn read(text: &str) -> Result<Self, Complaint> {
        let frame: Self = serde_json::from_str(text).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => "This is no event of this protocol.".to_owned(),
            _ => "This is not JSON.".to_owned(),
        })?;
        if let Self::JoinServerRoom(room) | Self::LeaveServerRoom(room) = &frame
            && !is_name(&room.server_instance)
        {
            return Err("`server_instance` is no name of a VPN server.".to_owned());
        }
        Ok(frame)
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    !text.is_empty() && text.len() <= NAME_LENGTH && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read() {
        let token = r#"{"event":"authenticate","token":"t","last_position":"a-1-1"}"#;
        let expected = ClientFrame::Authenticate {
            token: "t".to_owned(),
            last_position: Some("a-1-1".to_owned()),
            compression: None,
        };
        assert_eq!(ClientFrame::read(token), Ok(expected));
        for field in ["server_instance", "server_id"] {
            let join = format!(r#"{{"event":"join_server_room","{field}":"vpn-1"}}"#);
            let expected = Room {
                server_instance: "vpn-1".to_owned(),
            };
            assert_eq!(ClientFrame::read(&join), Ok(ClientFrame::JoinServerRoom(expected)));
        }
        assert_eq!(
            ClientFrame::read(r#"{"event":"get_active_sessions"}"#),
            Ok(ClientFrame::GetActiveSessions)
        );
    }

    #[test]
    fn anything_else_is_complained_about() {
        let bad = [
            "",
            "[]",
            "{}",
            r#"{"event":"authenticate"}"#,
            r#"{"event":"shout"}"#,
            r#"{"event":"join_server_room","server_instance":"a b"}"#,
            r#"{"event":"join_server_room","server_instance":""}"#,
        ];
        for text in bad {
            assert!(ClientFrame::read(text).is_err(), "{text}");
        }
    }
}
