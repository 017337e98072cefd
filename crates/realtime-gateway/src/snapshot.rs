//! All active sessions at one position, in pages.

use std::sync::Arc;

use bytestring::ByteString;

use crate::frames::{self, Page};
use crate::live::Live;
use crate::position::Position;

/// The pages, and the number of the frame that follows them.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) pages: Vec<ByteString>,
    pub(crate) position: Position,
    pub(crate) generation: u64,
    pub(crate) cursor: u64,
}

/// The sessions, taken in a moment; writing them takes longer.
pub(crate) struct Taken {
    sessions: Vec<Arc<str>>,
    position: Position,
    cursor: u64,
}

/// Takes the sessions of these servers, or all.
pub(crate) fn take(live: &Live, rooms: &[String]) -> Taken {
    let wanted = |server: &str| rooms.is_empty() || rooms.iter().any(|room| room == server);
    let sessions = live
        .view
        .sessions()
        .filter(|session| wanted(&session.server))
        .map(|session| Arc::clone(&session.json));
    Taken {
        sessions: sessions.collect(),
        position: live.position,
        cursor: live.log.end(),
    }
}

impl Taken {
    pub(crate) fn into_pages(self, generation: u64, rooms: &[String], page_sessions: usize) -> Snapshot {
        let pages = self.sessions.len().div_ceil(page_sessions).max(1);
        let page = |number: usize| {
            let about = Page {
                position: self.position,
                page: number,
                pages,
                total: self.sessions.len(),
                rooms,
            };
            let sessions = self.sessions.iter().skip((number - 1) * page_sessions);
            frames::snapshot_page(about, sessions.take(page_sessions).map(|json| &**json))
        };
        Snapshot {
            pages: (1..=pages).map(page).collect(),
            position: self.position,
            generation,
            cursor: self.cursor,
        }
    }
}
