//! All active sessions at one position, in pages.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use bytestring::ByteString;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::frames::{self, Page};
use crate::live::Live;
use crate::position::Position;

/// The pages, and the number of the frame that follows them.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pages: Vec<ByteString>,
    /// The same, compressed for the first who wants that and for all after it.
    packed: OnceLock<Vec<Bytes>>,
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
            packed: OnceLock::new(),
            position: self.position,
            generation,
            cursor: self.cursor,
        }
    }
}

impl Snapshot {
    pub(crate) fn pages(&self) -> &[ByteString] {
        &self.pages
    }

    pub(crate) fn is_packed(&self) -> bool {
        self.packed.get().is_some()
    }

    /// The pages as gzip; slow the first time, so call it where it may block.
    pub(crate) fn pack(&self) -> &[Bytes] {
        self.packed.get_or_init(|| self.pages.iter().map(gzip).collect())
    }
}

fn gzip(page: &ByteString) -> Bytes {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    let written = packed.write_all(page.as_bytes()).and_then(|()| packed.finish());
    written.expect("memory takes everything").into()
}
