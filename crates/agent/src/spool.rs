//! The agent's memory on disk: what was seen is here, synced, before anything else forgets it, and leaves only when the product
//! has it.
//!
//! Segments `<first index>.segment` in one folder are appended to and never changed, but for one case: when the spool is over its
//! limit, the oldest updates and snapshots are left out of it. Connects and disconnects are never given up.

mod read;
mod record;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use read::{read_from, read_records};
pub use record::{Kind, Next, Record, encode, read_record};

/// Sizes of the spool, bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A segment that has reached this is closed.
    pub segment: u64,
    /// Over this, the oldest updates are given up.
    pub total: u64,
}

/// The writing end. One process has it; the folder is locked.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    limits: Limits,
    /// First index → size of each segment, the open one last.
    segments: BTreeMap<u64, u64>,
    open: Option<File>,
    next: u64,
    /// Events given up since the start.
    dropped: u64,
    over_limit: bool,
    /// Closed segments that begin below this hold nothing that may be given up.
    essential_below: u64,
    _lock: File,
}

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("cannot use the spool at {path}")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("another agent uses the spool at {0}")]
    InUse(PathBuf),
}

impl Spool {
    /// Opens the folder, made if it is missing; what a crash has torn is cut off.
    ///
    /// # Errors
    /// When it cannot be used, or another agent uses it.
    pub fn open(folder: &Path, limits: Limits) -> Result<Self, SpoolError> {
        let failed = |source| SpoolError::Io {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = lock(folder)?;
        let mut spool = Self {
            folder: folder.to_owned(),
            limits,
            segments: BTreeMap::new(),
            open: None,
            next: 1,
            dropped: 0,
            over_limit: false,
            essential_below: 0,
            _lock: lock,
        };
        spool.recover().map_err(failed)?;
        Ok(spool)
    }

    fn recover(&mut self) -> io::Result<()> {
        self.segments = segments(&self.folder)?;
        let Some((&last, size)) = self.segments.iter_mut().next_back() else {
            return Ok(());
        };
        let path = path(&self.folder, last);
        let bytes = fs::read(&path)?;
        let (records, sound) = read_records(&bytes);
        if sound < bytes.len() as u64 {
            tracing::warn!(
                segment = last,
                lost_bytes = bytes.len() as u64 - sound,
                "Damage at the end of the spool, such as a torn write, is cut off."
            );
            let file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(sound)?;
            file.sync_all()?;
        }
        *size = sound;
        self.next = records.last().map_or(last, |record| record.index + 1);
        Ok(())
    }

    /// Records that are known elsewhere are not here any more: somebody has removed segments, or the disk has lost what it had
    /// promised. New ones come after them, or they would be taken for sent.
    pub fn go_on_from(&mut self, index: u64) {
        if self.next < index {
            tracing::error!(
                lost = index - self.next,
                "The spool lacks its latest records; it goes on after them."
            );
            self.next = index;
        }
    }

    /// Index of the next record.
    pub fn next_index(&self) -> u64 {
        self.next
    }

    /// Bytes on disk.
    pub fn size(&self) -> u64 {
        self.segments.values().sum()
    }

    /// Events given up since the start because the spool was full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Appends records and returns when they are on disk. All of them, or after an error none counts.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn append<'a>(&mut self, payloads: impl IntoIterator<Item = (Kind, &'a [u8])>) -> Result<(), SpoolError> {
        let mut buffer = Vec::new();
        let mut next = self.next;
        for (kind, payload) in payloads {
            encode(&mut buffer, next, kind, payload);
            next += 1;
        }
        if buffer.is_empty() {
            return Ok(());
        }
        self.write(&buffer).map_err(|source| self.failed(source))?;
        self.next = next;
        Ok(())
    }

    fn write(&mut self, buffer: &[u8]) -> io::Result<()> {
        let (first, size) = self.segment()?;
        let mut file = self.open.as_ref().expect("segment() opened it");
        let written = file.write_all(buffer).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // Half a record would hide those after it.
            file.set_len(size)?;
            self.open = None;
            return Err(error);
        }
        self.segments.insert(first, size + buffer.len() as u64);
        Ok(())
    }

    /// The segment to append to: first index and size. A full one is closed.
    fn segment(&mut self) -> io::Result<(u64, u64)> {
        let last = self.segments.last_key_value().map(|(first, size)| (*first, *size));
        if let Some((first, size)) = last.filter(|(_, size)| *size < self.limits.segment) {
            if self.open.is_none() {
                self.open = Some(OpenOptions::new().append(true).open(path(&self.folder, first))?);
            }
            return Ok((first, size));
        }
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(path(&self.folder, self.next))?;
        sync_folder(&self.folder)?;
        self.open = Some(file);
        self.segments.insert(self.next, 0);
        Ok((self.next, 0))
    }

    /// Removes the segments whose records are all below `index`: the product has them, and the agent's own memory too.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn forget_below(&mut self, index: u64) -> Result<(), SpoolError> {
        let firsts: Vec<u64> = self.segments.keys().copied().collect();
        for pair in firsts.windows(2).take_while(|pair| pair[1] <= index) {
            fs::remove_file(path(&self.folder, pair[0])).map_err(|source| self.failed(source))?;
            self.segments.remove(&pair[0]);
        }
        Ok(())
    }

    /// Brings the spool below its limit by leaving out updates and snapshots that were not sent (from `unsent` on), the oldest
    /// first. What has been left out will show as a gap.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn keep_within_limit(&mut self) -> Result<(), SpoolError> {
        let closed: Vec<u64> = self.segments.keys().rev().skip(1).rev().copied().collect();
        for first in closed {
            if self.size() <= self.limits.total {
                break;
            }
            if first < self.essential_below {
                continue;
            }
            self.shrink(first).map_err(|source| self.failed(source))?;
            self.essential_below = first + 1;
        }
        let over = self.size() > self.limits.total;
        if over && !self.over_limit {
            tracing::error!(
                bytes = self.size(),
                limit = self.limits.total,
                "The spool is over its limit with connects and disconnects alone; it goes on growing."
            );
        }
        self.over_limit = over;
        Ok(())
    }

    fn failed(&self, source: io::Error) -> SpoolError {
        SpoolError::Io {
            path: self.folder.clone(),
            source,
        }
    }

    fn shrink(&mut self, first: u64) -> io::Result<()> {
        let from = path(&self.folder, first);
        let bytes = fs::read(&from)?;
        let (records, _) = read_records(&bytes);
        let mut kept = Vec::new();
        let mut dropped = 0;
        for record in records {
            match record.kind {
                Kind::Essential => encode(&mut kept, record.index, record.kind, &record.payload),
                Kind::Droppable => dropped += 1,
            }
        }
        if dropped == 0 {
            return Ok(());
        }
        let draft = from.with_extension("draft");
        let mut file = File::create(&draft)?;
        file.write_all(&kept)?;
        file.sync_all()?;
        fs::rename(&draft, &from)?;
        sync_folder(&self.folder)?;
        self.segments.insert(first, kept.len() as u64);
        self.dropped += dropped;
        tracing::warn!(
            dropped,
            "The spool is full: the oldest updates and snapshots are given up."
        );
        Ok(())
    }
}

fn segments(folder: &Path) -> io::Result<BTreeMap<u64, u64>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let first = name
            .to_str()
            .and_then(|name| name.strip_suffix(".segment")?.parse().ok());
        if let Some(first) = first {
            found.insert(first, entry.metadata()?.len());
        }
    }
    Ok(found)
}

fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.segment"))
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Held for as long as the file is open; the kernel lets go of it when the process ends, however it ends.
fn lock(folder: &Path) -> Result<File, SpoolError> {
    let failed = |source| SpoolError::Io {
        path: folder.to_owned(),
        source,
    };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(SpoolError::InUse(folder.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}
