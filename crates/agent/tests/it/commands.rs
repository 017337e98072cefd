//! The journal of commands, and the list of denials with the hook that reads it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

use agent::commands::denials::{Denial, Denials};
use agent::commands::journal::{Journal, Record, State};
use uuid::Uuid;

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("agent-commands-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("hooks")).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn record(id: u128, state: State) -> Record {
    Record {
        id: Uuid::from_u128(id),
        session_id: Uuid::from_u128(id + 100),
        common_name: "Jürgen Müller".to_owned(),
        watch_seconds: 30,
        others: vec![Uuid::from_u128(7)],
        state,
        reached_at: 1_000,
        accepted_at: None,
        gone_at: None,
        reconnected_session_id: None,
        failure: None,
        reported: None,
    }
}

#[test]
fn what_was_taken_is_known_after_a_crash_and_is_neither_finished_nor_reported() {
    let folder = Folder::new("crash");
    let journal = Journal::open(&folder.0, 0).unwrap();
    journal.write(record(1, State::Taken)).unwrap();
    // Nothing is written when it ends: as after kill -9.
    drop(journal);
    let journal = Journal::open(&folder.0, 0).unwrap();
    assert!(journal.knows(Uuid::from_u128(1)) && !journal.knows(Uuid::from_u128(2)));
    assert_eq!(journal.unfinished(), [record(1, State::Taken)]);
    assert_eq!(journal.unreported(), [], "there is nothing to tell yet");
}

#[test]
fn a_result_is_unreported_until_the_product_has_heard_and_again_when_it_asks() {
    let folder = Folder::new("reported");
    let journal = Journal::open(&folder.0, 0).unwrap();
    journal.write(record(1, State::StayedGone)).unwrap();
    assert_eq!(journal.unreported().len(), 1);
    journal.reported(Uuid::from_u128(1), State::StayedGone).unwrap();
    assert_eq!(journal.unreported(), []);
    assert_eq!(Journal::open(&folder.0, 0).unwrap().unreported(), []);
    journal.report_again(Uuid::from_u128(1)).unwrap();
    assert_eq!(journal.unreported().len(), 1);
}

#[test]
fn an_older_report_that_was_answered_late_leaves_the_newer_state_unreported() {
    let folder = Folder::new("late");
    let journal = Journal::open(&folder.0, 0).unwrap();
    journal.write(record(1, State::Gone)).unwrap();
    journal.reported(Uuid::from_u128(1), State::Accepted).unwrap();
    assert_eq!(journal.unreported().len(), 1);
}

#[test]
fn what_is_done_and_told_is_forgotten_after_a_day_and_what_is_not_stays() {
    const DAY: i64 = 86_400_000;
    let folder = Folder::new("forgotten");
    let journal = Journal::open(&folder.0, 0).unwrap();
    journal.write(record(1, State::Failed)).unwrap();
    journal.reported(Uuid::from_u128(1), State::Failed).unwrap();
    journal.write(record(2, State::Failed)).unwrap();
    journal.write(record(3, State::Taken)).unwrap();
    journal.forget_old(DAY).unwrap();
    assert!(journal.knows(Uuid::from_u128(1)), "an answer may still be on its way");
    journal.forget_old(DAY + 2_000).unwrap();
    let known = [1, 2, 3].map(|id| journal.knows(Uuid::from_u128(id)));
    assert_eq!(known, [false, true, true]);
    let journal = Journal::open(&folder.0, 30 * DAY).unwrap();
    let known = [1, 2, 3].map(|id| journal.knows(Uuid::from_u128(id)));
    assert_eq!(known, [false, false, true], "the product takes nothing that is so old");
}

#[test]
fn a_journal_that_cannot_be_understood_stops_the_agent() {
    let folder = Folder::new("damaged");
    std::fs::write(folder.0.join("x.json"), "{").unwrap();
    assert!(Journal::open(&folder.0, 0).is_err());
}

fn denials(until: i64) -> Denials {
    Denials {
        version: Some("1".to_owned()),
        denials: vec![Denial {
            id: Uuid::from_u128(1),
            common_name: "Jürgen Müller".to_owned(),
            until,
            spared: HashSet::from([Uuid::from_u128(9)]),
        }],
    }
}

#[test]
fn a_denial_is_about_new_sessions_of_its_vpn_user_until_its_time_is_over() {
    let denials = denials(1_000);
    assert_eq!(denials.refused_until("Jürgen Müller", 999), Some(1_000));
    assert_eq!(denials.refused_until("Jürgen Müller", 1_000), None);
    assert_eq!(denials.refused_until("jürgen müller", 0), None);
    assert!(denials.refuses(Uuid::from_u128(8), "Jürgen Müller", 999));
    assert!(
        !denials.refuses(Uuid::from_u128(9), "Jürgen Müller", 999),
        "it was there before"
    );
    assert!(!denials.refuses(Uuid::from_u128(8), "Jürgen Müller", 1_000));
}

/// What the hook answers OpenVPN, and how many calls it has left for the agent.
fn hook(folder: &Folder, script_type: &str, common_name: &str) -> (i32, usize) {
    let output = Command::new(env!("CARGO_BIN_EXE_agent"))
        .args(["hook", "--state-dir", &folder.0.display().to_string(), "file"])
        .env_clear()
        .envs([("script_type", script_type), ("common_name", common_name)])
        .output()
        .unwrap();
    let left = std::fs::read_dir(folder.0.join("hooks")).unwrap().count();
    (output.status.code().unwrap(), left)
}

#[test]
fn the_hook_refuses_a_denied_vpn_user_and_nobody_else() {
    let folder = Folder::new("hook");
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (0, 1),
        "there is no list"
    );
    denials(i64::MAX / 2_000_000).store(&folder.0).unwrap();
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (1, 1),
        "and nothing is told of it"
    );
    assert_eq!(hook(&folder, "client-connect", "alice"), (0, 2));
    assert_eq!(
        hook(&folder, "client-disconnect", "Jürgen Müller"),
        (0, 3),
        "an end is never refused"
    );
    denials(1).store(&folder.0).unwrap();
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (0, 4),
        "its time is over"
    );
    std::fs::write(folder.0.join("denials.json"), "{").unwrap();
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (0, 5),
        "a broken list keeps nobody out"
    );
}
