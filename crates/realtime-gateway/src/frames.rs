//! What goes to clients, as text. Names and fields are documented in `docs/realtime.md`.

use std::fmt::Write as _;

use bytestring::ByteString;
use domain::time_format;
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;

use crate::change::{Change, Event};
use crate::position::Position;

/// Changes of one kind of one VPN server.
pub(crate) fn changes(event: Event, position: Position, server: &str, changes: &[&Change]) -> ByteString {
    let size = changes.iter().map(|change| change.json.len() + 1).sum::<usize>();
    let mut text = String::with_capacity(size + 160);
    let (name, server) = (event.name(), quoted(server));
    let _ = write!(
        text,
        r#"{{"event":"{name}","position":"{position}","server_instance":{server},"sessions":["#
    );
    join(&mut text, changes.iter().map(|change| change.json.as_str()));
    text.push_str("]}");
    text.into()
}

/// What a page of a snapshot says beside its sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) position: Position,
    /// From 1.
    pub(crate) page: usize,
    pub(crate) pages: usize,
    /// Sessions of all pages.
    pub(crate) total: usize,
    /// The VPN servers it is about; all, when there is none.
    pub(crate) rooms: &'a [String],
}

/// One page of a snapshot. Only the last page has a position that a client can come back with: before it, something is
/// missing.
pub(crate) fn snapshot_page<'a>(page: Page<'_>, sessions: impl Iterator<Item = &'a str>) -> ByteString {
    let mut text = String::with_capacity(1 << 16);
    let partial = if page.page == page.pages { "" } else { "~" };
    let _ = write!(
        text,
        r#"{{"event":"sessions_update","position":"{}{partial}","page":{},"pages":{},"total":{},"rooms":{},"sessions":["#,
        page.position,
        page.page,
        page.pages,
        page.total,
        json!(page.rooms),
    );
    join(&mut text, sessions);
    text.push_str("]}");
    text.into()
}

fn join<'a>(text: &mut String, pieces: impl Iterator<Item = &'a str>) {
    for (index, piece) in pieces.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(piece);
    }
}

fn quoted(text: &str) -> String {
    json!(text).to_string()
}

/// Any other event that carries data.
pub(crate) fn event(name: &str, position: Position, body: &impl Serialize) -> ByteString {
    #[derive(Serialize)]
    struct Event<'a, B> {
        event: &'a str,
        position: String,
        #[serde(flatten)]
        body: &'a B,
    }
    let event = Event {
        event: name,
        position: position.to_string(),
        body,
    };
    serde_json::to_string(&event)
        .expect("frames have only string keys")
        .into()
}

pub(crate) fn authenticated(username: &str, roles: &[domain::role::Role], expires_at: OffsetDateTime) -> ByteString {
    json!({
        "event": "authenticated",
        "username": username,
        "roles": roles,
        "expires_at": time_format::format_millis(expires_at),
    })
    .to_string()
    .into()
}

/// A client that came back goes on from here.
pub(crate) fn resumed(position: Position) -> ByteString {
    json!({"event": "resumed", "position": position.to_string()})
        .to_string()
        .into()
}

/// Everything that the client holds is void; a snapshot follows.
pub(crate) fn resync(reason: &str, position: Position) -> ByteString {
    json!({"event": "resync", "position": position.to_string(), "reason": reason})
        .to_string()
        .into()
}

pub(crate) fn rooms(rooms: &[String]) -> ByteString {
    json!({"event": "rooms", "rooms": rooms}).to_string().into()
}

pub(crate) fn error(error: &str, detail: &str) -> ByteString {
    json!({"event": "error", "error": error, "detail": detail})
        .to_string()
        .into()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;

    const POSITION: Position = Position {
        epoch: 0xabc,
        sequence: 4,
        part: 2,
    };

    fn parsed(text: &ByteString) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn changes_of_one_kind_share_a_frame() {
        let change = |name: &str| Change {
            event: Event::Connected,
            id: Uuid::nil(),
            version: 1,
            active: true,
            json: format!(r#"{{"common_name":"{name}"}}"#),
        };
        let (first, second) = (change("a"), change("b"));
        let frame = changes(Event::Connected, POSITION, "vpn-\"1", &[&first, &second]);
        let expected = json!({
            "event": "session_connected",
            "position": "abc-4-2",
            "server_instance": "vpn-\"1",
            "sessions": [{"common_name": "a"}, {"common_name": "b"}],
        });
        assert_eq!(parsed(&frame), expected);
    }

    #[test]
    fn only_the_last_page_has_a_position_to_come_back_with() {
        let rooms = ["vpn-1".to_owned()];
        let page = |page| Page {
            position: POSITION,
            page,
            pages: 2,
            total: 3,
            rooms: &rooms,
        };
        let first = parsed(&snapshot_page(page(1), ["1", "2"].into_iter()));
        let last = parsed(&snapshot_page(page(2), ["3"].into_iter()));
        assert_eq!(first["position"], "abc-4-2~");
        assert!(first["position"].as_str().unwrap().parse::<Position>().is_err());
        assert_eq!(last["position"], "abc-4-2");
        assert_eq!(
            (&last["sessions"], &last["rooms"], &last["total"]),
            (&json!([3]), &json!(["vpn-1"]), &json!(3))
        );
    }
}
