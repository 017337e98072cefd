//! One change of a session, as session-processor published it.

use bus::proto::{DeltaKind, SessionDelta};
use serde::Deserialize;
use uuid::Uuid;

/// What a change is called on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Connected,
    Updated,
    Disconnected,
    /// The session turned out to be another one's.
    Withdrawn,
}

/// A session as it is after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) event: Event,
    pub(crate) id: Uuid,
    pub(crate) version: u32,
    /// It belongs to the live sessions now.
    pub(crate) active: bool,
    /// In the shape of `GET /api/sessions`.
    pub(crate) json: String,
}

/// What this service must know of a session's JSON.
#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(borrow)]
    session_status: &'a str,
}

impl Event {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connected => "session_connected",
            Self::Updated => "session_updated",
            Self::Disconnected => "session_disconnected",
            Self::Withdrawn => "session_withdrawn",
        }
    }
}

impl Change {
    /// `None` for what cannot be read; that is told in the log.
    pub(crate) fn read(delta: SessionDelta) -> Option<Self> {
        let kind = delta.kind();
        let read = Uuid::from_slice(&delta.session_id).ok().zip(
            serde_json::from_str::<Shown<'_>>(&delta.session_json)
                .ok()
                .map(|shown| match shown.session_status {
                    "active" => Status::Active,
                    "timeout" => Status::TimedOut,
                    _ => Status::Disconnected,
                }),
        );
        let Some((id, status)) = read else {
            tracing::warn!(version = delta.version, "a change of a session cannot be read");
            return None;
        };
        Some(Self {
            event: event(kind, status),
            id,
            version: delta.version,
            active: status == Status::Active && kind != DeltaKind::Withdrawn,
            json: delta.session_json,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    TimedOut,
    Disconnected,
}

/// A session that times out leaves the live ones like one that ends; facts about one that has ended are an update.
fn event(kind: DeltaKind, status: Status) -> Event {
    match (kind, status) {
        (DeltaKind::Withdrawn, _) => Event::Withdrawn,
        (DeltaKind::Connected, Status::Active) => Event::Connected,
        (_, Status::Active) | (DeltaKind::Updated, Status::Disconnected) => Event::Updated,
        _ => Event::Disconnected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: DeltaKind, status: &str) -> (Event, bool) {
        let delta = SessionDelta {
            kind: kind.into(),
            session_id: vec![1; 16],
            version: 2,
            session_json: format!(r#"{{"id":"x","session_status":"{status}"}}"#),
        };
        let change = Change::read(delta).unwrap();
        (change.event, change.active)
    }

    #[test]
    fn a_change_is_called_after_what_it_means_for_the_live_sessions() {
        use DeltaKind as Kind;
        assert_eq!(change(Kind::Connected, "active"), (Event::Connected, true));
        assert_eq!(change(Kind::Updated, "active"), (Event::Updated, true));
        assert_eq!(change(Kind::Updated, "timeout"), (Event::Disconnected, false));
        assert_eq!(change(Kind::Disconnected, "disconnected"), (Event::Disconnected, false));
        assert_eq!(change(Kind::Updated, "disconnected"), (Event::Updated, false));
        assert_eq!(change(Kind::Connected, "disconnected"), (Event::Disconnected, false));
        assert_eq!(change(Kind::Withdrawn, "active"), (Event::Withdrawn, false));
    }

    #[test]
    fn what_cannot_be_read_is_no_change() {
        let short = SessionDelta {
            session_id: vec![1],
            session_json: r#"{"session_status":"active"}"#.to_owned(),
            ..SessionDelta::default()
        };
        let bare = SessionDelta {
            session_id: vec![1; 16],
            session_json: "{}".to_owned(),
            ..SessionDelta::default()
        };
        assert_eq!((Change::read(short), Change::read(bare)), (None, None));
    }
}
