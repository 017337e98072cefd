//! The spool on a real disk: torn writes, a full disk's policy, restarts.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};

use agent::spool::{Kind, Limits, Record, Spool, read_from};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("agent-spool-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn open(&self) -> Spool {
        Spool::open(
            &self.0,
            Limits {
                segment: 200,
                total: 4_000,
            },
        )
        .unwrap()
    }

    fn read(&self) -> Vec<Record> {
        read_from(&self.0, 1, usize::MAX, usize::MAX).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn newest_segment(folder: &Path) -> PathBuf {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
    paths.sort();
    paths.pop().unwrap()
}

fn indexes(records: &[Record]) -> Vec<u64> {
    records.iter().map(|record| record.index).collect()
}

#[test]
fn what_was_appended_is_there_after_a_restart_and_numbering_goes_on() {
    let folder = Folder::new("restart");
    let mut spool = folder.open();
    for number in 0..50_u8 {
        spool.append([(Kind::Essential, [number; 10].as_slice())]).unwrap();
    }
    drop(spool);
    let mut spool = folder.open();
    assert_eq!(spool.next_index(), 51);
    spool.append([(Kind::Essential, b"later".as_slice())]).unwrap();
    assert_eq!(indexes(&folder.read()), (1..=51).collect::<Vec<_>>());
}

#[test]
fn a_torn_write_costs_only_what_was_never_acknowledged() {
    let folder = Folder::new("torn");
    for cut in 1..40 {
        let mut spool = folder.open();
        spool.append([(Kind::Essential, b"whole".as_slice())]).unwrap();
        let kept = folder.read().len();
        spool.append([(Kind::Essential, [7_u8; 30].as_slice())]).unwrap();
        drop(spool);
        let segment = newest_segment(&folder.0);
        let file = OpenOptions::new().write(true).open(&segment).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(cut)).unwrap();
        drop(file);
        let spool = folder.open();
        assert_eq!(folder.read().len(), kept, "cut {cut}");
        assert_eq!(spool.next_index(), kept as u64 + 1);
    }
}

#[test]
fn a_full_spool_gives_up_the_oldest_updates_and_never_a_connect() {
    let folder = Folder::new("full");
    let mut spool = folder.open();
    for number in 0..200_u8 {
        let kind = if number % 4 == 0 {
            Kind::Essential
        } else {
            Kind::Droppable
        };
        spool.append([(kind, [number; 20].as_slice())]).unwrap();
        spool.keep_within_limit().unwrap();
    }
    let records = folder.read();
    let essential: Vec<u8> = records
        .iter()
        .filter(|record| record.kind == Kind::Essential)
        .map(|record| record.payload[0])
        .collect();
    assert_eq!(
        essential,
        (0..200).step_by(4).map(|number| number as u8).collect::<Vec<_>>()
    );
    assert!(spool.dropped() > 0);
    let first_kept_update = records
        .iter()
        .position(|record| record.kind == Kind::Droppable)
        .unwrap();
    assert!(
        records[first_kept_update..].len() >= 20,
        "the newest updates are still there"
    );
}

#[test]
fn what_was_sent_leaves_whole_segments_at_a_time() {
    let folder = Folder::new("sent");
    let mut spool = folder.open();
    for _ in 0..100 {
        spool.append([(Kind::Essential, [1_u8; 20].as_slice())]).unwrap();
    }
    let before = spool.size();
    spool.forget_below(60).unwrap();
    assert!(spool.size() < before / 2 + 400);
    assert!(indexes(&folder.read()).contains(&60));
    assert_eq!(indexes(&read_from(&folder.0, 60, 3, 1_000).unwrap()), [60, 61, 62]);
}

#[test]
fn a_second_agent_is_refused() {
    let folder = Folder::new("second");
    let _spool = folder.open();
    assert!(Spool::open(&folder.0, Limits { segment: 1, total: 1 }).is_err());
}

#[test]
fn bytes_that_have_changed_cost_their_own_record_only() {
    for flipped in 0..3 * 47 {
        let folder = Folder::new(&format!("flipped-{flipped}"));
        let mut spool = Spool::open(
            &folder.0,
            Limits {
                segment: 300,
                total: 4_000,
            },
        )
        .unwrap();
        for number in 1..=20_u8 {
            spool.append([(Kind::Essential, [number; 30].as_slice())]).unwrap();
        }
        let mut segments: Vec<PathBuf> = fs::read_dir(&folder.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        segments.retain(|path| path.extension().is_some_and(|extension| extension == "segment"));
        segments.sort();
        // In one that is closed while the agent runs, and in the last one before the next start.
        for segment in [&segments[0], segments.last().unwrap()] {
            let mut bytes = fs::read(segment).unwrap();
            bytes[flipped] ^= 0x10;
            fs::write(segment, bytes).unwrap();
        }
        let kept = indexes(&folder.read());
        assert_eq!(kept.len(), 18, "{flipped}: {kept:?}");
        drop(spool);
        let mut spool = folder.open();
        assert_eq!(spool.next_index(), 21, "{flipped}");
        assert_eq!(indexes(&folder.read()), kept);
        spool.append([(Kind::Essential, b"later".as_slice())]).unwrap();
        assert_eq!(folder.read().last().map(|record| record.index), Some(21));
    }
}

#[test]
fn records_that_somebody_has_removed_are_not_numbered_again() {
    let folder = Folder::new("removed");
    let mut spool = folder.open();
    spool.append([(Kind::Essential, b"sent".as_slice())]).unwrap();
    drop(spool);
    fs::remove_file(newest_segment(&folder.0)).unwrap();
    let mut spool = folder.open();
    spool.go_on_from(2);
    spool.append([(Kind::Essential, b"new".as_slice())]).unwrap();
    assert_eq!(indexes(&read_from(&folder.0, 2, 10, 1_000).unwrap()), [2]);
    drop(spool);
    let mut spool = folder.open();
    spool.go_on_from(2);
    assert_eq!(spool.next_index(), 3);
}

#[test]
fn what_can_be_given_up_is_looked_for_once() {
    let folder = Folder::new("once");
    let mut spool = folder.open();
    for _ in 0..200 {
        spool.append([(Kind::Essential, [1_u8; 30].as_slice())]).unwrap();
    }
    spool.keep_within_limit().unwrap();
    // Were the segments read again, they would be missed.
    for entry in fs::read_dir(&folder.0).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "segment") && path != newest_segment(&folder.0) {
            fs::remove_file(path).unwrap();
        }
    }
    spool.keep_within_limit().unwrap();
}
