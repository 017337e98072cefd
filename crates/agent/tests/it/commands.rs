//! The journal of commands, what the tracker knows of sessions that the agent ends, and the list of denials with the hook that
//! reads it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;

use agent::clock::Instant;
use agent::commands::denials::{Denial, Denials};
use agent::commands::journal::{Journal, Record, State};
use agent::tracker::{Memory, Observation, Settings, Tracker, cid_of_session};
use agent_api::Event;
use openvpn::Environment;
use openvpn::management::Notice;
use openvpn::status::{ListedClient, StatusReport};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const START: OffsetDateTime = datetime!(2026-02-13 12:00 UTC);

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
fn a_command_whose_record_is_damaged_is_never_acted_upon_and_said_to_have_failed() {
    let folder = Folder::new("damaged");
    let id = Uuid::from_u128(1);
    std::fs::write(folder.0.join(format!("{id}.json")), "{").unwrap();
    std::fs::write(folder.0.join("notes.json"), "{").unwrap();
    let journal = Journal::open(&folder.0, 0).unwrap();
    assert!(journal.knows(id));
    assert_eq!(journal.unfinished(), []);
    let unreported = journal.unreported();
    assert_eq!(
        (unreported.len(), unreported[0].id, unreported[0].state),
        (1, id, State::Failed)
    );
}

fn tracker() -> Tracker {
    let settings = Settings {
        namespace: Settings::namespace_of("vpn-1"),
        hooks: true,
        update_interval: Duration::seconds(60),
        snapshot_interval: Duration::seconds(60),
    };
    Tracker::new(settings, Memory::default())
}

/// `seconds` after the start of the story.
fn hook_call(script_type: &str, seconds: i64, address: &str, more: &str) -> Observation {
    let connected = START.unix_timestamp() + seconds;
    Observation::Hook(Environment::parse(&format!(
        "script_type={script_type}\ncommon_name=jdoe\ntime_unix={connected}\nifconfig_pool_remote_ip={address}\n{more}"
    )))
}

fn list(seconds: i64, clients: Vec<ListedClient>) -> Observation {
    let at = START + Duration::seconds(seconds);
    let report = StatusReport {
        version: 3,
        at,
        daemon: None,
        dco: None,
        clients,
    };
    Observation::Notice {
        at,
        notice: Notice::Status(report),
    }
}

fn listed(seconds: i64, address: &str, cid: u64) -> ListedClient {
    ListedClient {
        common_name: "jdoe".to_owned(),
        virtual_ip: Some(address.parse().unwrap()),
        connected_at: Some(START + Duration::seconds(seconds)),
        cid: Some(cid),
        ..ListedClient::default()
    }
}

fn reason(events: &[Event]) -> Option<&str> {
    events.last()?.session.as_ref()?.disconnect_reason.as_deref()
}

#[test]
fn a_session_is_found_in_the_daemons_list_by_all_that_its_id_is_made_of() {
    let mut tracker = tracker();
    let session = tracker.observe(hook_call("client-connect", 0, "10.8.0.2", ""))[0].event_id;
    let namespace = Settings::namespace_of("vpn-1");
    let found = |clients: &[ListedClient]| cid_of_session(&namespace, session, clients);
    assert_eq!(found(&[listed(9, "10.8.0.3", 1), listed(0, "10.8.0.2", 5)]), Some(5));
    // The same client id, address or second is not the same session.
    assert_eq!(found(&[listed(9, "10.8.0.2", 5), listed(0, "10.8.0.3", 5)]), None);
    assert_eq!(
        cid_of_session(&Settings::namespace_of("vpn-2"), session, &[listed(0, "10.8.0.2", 5)]),
        None
    );
}

#[test]
fn the_standing_of_a_session_names_the_others_of_its_vpn_user() {
    let mut tracker = tracker();
    let one = tracker.observe(hook_call("client-connect", 0, "10.8.0.2", ""))[0].event_id;
    let two = tracker.observe(hook_call("client-connect", 5, "10.8.0.3", ""))[0].event_id;
    let standing = tracker.standing(one, "jdoe");
    assert_eq!((standing.is_open, standing.others), (true, vec![two]));
    assert_eq!(
        tracker
            .sessions_of(&HashSet::from(["jdoe".to_owned(), "x".to_owned()]))
            .len(),
        2
    );
    tracker.observe(hook_call("client-disconnect", 0, "10.8.0.2", "time_duration=9"));
    let standing = tracker.standing(one, "jdoe");
    assert_eq!((standing.is_open, standing.others), (false, vec![two]));
}

#[test]
fn an_end_that_the_agent_brought_about_says_so_and_another_does_not() {
    let mut tracker = tracker();
    let killed = tracker.observe(hook_call("client-connect", 0, "10.8.0.2", ""))[0].event_id;
    tracker.observe(hook_call("client-connect", 5, "10.8.0.3", ""));
    tracker.set_killed(killed, true);
    let end = "time_duration=9\nbytes_received=1\nbytes_sent=2";
    let events = tracker.observe(hook_call("client-disconnect", 5, "10.8.0.3", end));
    assert_eq!(reason(&events), None);
    let events = tracker.observe(hook_call("client-disconnect", 0, "10.8.0.2", end));
    assert_eq!(reason(&events), Some("terminated"));
}

#[test]
fn a_kill_that_was_not_carried_out_leaves_the_end_to_the_daemon() {
    let mut tracker = tracker();
    let session = tracker.observe(hook_call("client-connect", 0, "10.8.0.2", ""))[0].event_id;
    tracker.set_killed(session, true);
    tracker.set_killed(session, false);
    let events = tracker.observe(hook_call("client-disconnect", 0, "10.8.0.2", "time_duration=9"));
    assert_eq!(reason(&events), None);
}

#[test]
fn a_killed_session_that_the_list_has_lost_has_an_end_of_its_own() {
    let mut tracker = tracker();
    let session = tracker.observe(hook_call("client-connect", 0, "10.8.0.2", ""))[0].event_id;
    tracker.observe(list(10, vec![listed(0, "10.8.0.2", 5)]));
    tracker.set_killed(session, true);
    tracker.observe(list(20, Vec::new()));
    assert!(!tracker.standing(session, "jdoe").is_open);
    // Nobody tells more of it.
    let events = tracker.observe(Observation::Tick(START + Duration::seconds(40)));
    let end = events
        .iter()
        .find(|event| event.event_type == agent_api::EventType::SessionDisconnected);
    let end = end.expect("its end is told");
    assert_eq!(end.event_time_vpn, START + Duration::seconds(20));
    assert_eq!(
        end.session.as_ref().unwrap().disconnect_reason.as_deref(),
        Some("terminated")
    );
}

/// Without times since the host's start: the clock alone.
fn at(clock: i64) -> Instant {
    Instant { clock, uptime: None }
}

fn denials(until: Instant) -> Denials {
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
    let denials = denials(at(1_000));
    assert_eq!(denials.refused_for("Jürgen Müller", &at(999)), Some(1));
    assert_eq!(denials.refused_for("Jürgen Müller", &at(1_000)), None);
    assert_eq!(denials.refused_for("jürgen müller", &at(0)), None);
    assert!(denials.refuses(Uuid::from_u128(8), "Jürgen Müller", &at(999)));
    assert!(
        !denials.refuses(Uuid::from_u128(9), "Jürgen Müller", &at(999)),
        "it was there before"
    );
    assert!(!denials.refuses(Uuid::from_u128(8), "Jürgen Müller", &at(1_000)));
}

#[test]
fn a_denial_lasts_as_long_as_it_was_told_however_the_clock_is_set() {
    const HOUR: i64 = 3_600_000;
    let on = |clock: i64, uptime: i64, start: &str| Instant {
        clock,
        uptime: Some((uptime, start.to_owned())),
    };
    let told = on(10 * HOUR, 5_000, "this start");
    let denials = denials(told.after(HOUR));
    for clock in [9 * HOUR, 10 * HOUR, 12 * HOUR] {
        let left = |uptime| denials.refused_for("Jürgen Müller", &on(clock, uptime, "this start"));
        assert_eq!(left(5_000), Some(HOUR));
        assert_eq!(left(5_000 + HOUR - 1), Some(1));
        assert_eq!(left(5_000 + HOUR), None);
    }
    // The host has been started again meanwhile, and begins to count anew: the clock is all there is.
    let restarted = |clock| denials.refused_for("Jürgen Müller", &on(clock, 60_000, "another start"));
    assert_eq!((restarted(10 * HOUR), restarted(11 * HOUR)), (Some(HOUR), None));
    // What the product says then sets it right.
    let now = on(10 * HOUR + HOUR / 2, 60_000, "another start");
    assert!(!denials.ends_as(&super::commands::denials(now.after(HOUR / 4)), &now));
    assert!(denials.ends_as(&super::commands::denials(now.after(HOUR / 2 - 900)), &now));
}

/// What the hook answers OpenVPN, and how many calls it has left for the agent.
fn hook(folder: &Folder, script_type: &str, common_name: &str) -> (i32, usize) {
    let output = Command::new(env!("CARGO_BIN_EXE_agent"))
        .args(["hook", "--state-dir", &folder.0.display().to_string(), "file"])
        .env_clear()
        .envs([("script_type", script_type), ("common_name", common_name)])
        .output()
        .unwrap();
    let left = agent::inbox::waiting(&folder.0.join("hooks"), 100).unwrap().len();
    (output.status.code().unwrap(), left)
}

#[test]
fn a_link_that_the_daemons_user_has_laid_leads_nowhere() {
    let folder = Folder::new("link");
    let precious = folder.0.join("memory.json");
    std::fs::write(&precious, "precious").unwrap();
    std::fs::create_dir_all(folder.0.join("hooks")).unwrap();
    for name in ["denials.draft", "denials.json"] {
        std::os::unix::fs::symlink(&precious, folder.0.join("hooks").join(name)).unwrap();
    }
    let list = denials(Instant::now().after(60_000));
    list.store(&folder.0).unwrap();
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
    assert_eq!(Denials::load(&folder.0).unwrap(), list);
}

#[test]
fn what_is_no_call_of_a_hook_is_put_aside_and_holds_nothing_up() {
    let folder = Folder::new("strange");
    let inbox = folder.0.join("hooks");
    let secret = folder.0.join("secret");
    std::fs::write(&secret, "script_type=client-connect\ncommon_name=secret\n").unwrap();
    let made = Command::new("mkfifo").arg(inbox.join("0.env")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink(&secret, inbox.join("1.env")).unwrap();
    std::fs::create_dir(inbox.join("2.env")).unwrap();
    std::fs::write(inbox.join("3.env"), vec![b'x'; 1 << 20]).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(inbox.join("4.env")).unwrap();
    assert_eq!(hook(&folder, "client-connect", "jdoe"), (0, 1));
    let calls = agent::inbox::waiting(&inbox, 100).unwrap();
    assert_eq!(calls[0].environment.text("common_name"), Some("jdoe"));
    let aside = |number: &u32| inbox.join(format!("{number}.unreadable")).symlink_metadata().is_ok();
    assert_eq!((0..5).filter(aside).count(), 5);

    // Nor is a list of denials that is none waited for.
    let made = Command::new("mkfifo").arg(inbox.join("denials.json")).status().unwrap();
    assert!(made.success());
    assert!(Denials::load(&folder.0).is_err());
    assert_eq!(hook(&folder, "client-connect", "jdoe"), (0, 2));
}

#[test]
fn the_hook_refuses_a_denied_vpn_user_and_nobody_else() {
    let folder = Folder::new("hook");
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (0, 1),
        "there is no list"
    );
    denials(Instant::now().after(60_000)).store(&folder.0).unwrap();
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (1, 2),
        "and it is told, for its client-disconnect to be none"
    );
    assert_eq!(hook(&folder, "client-connect", "alice"), (0, 3));
    assert_eq!(
        hook(&folder, "client-disconnect", "Jürgen Müller"),
        (0, 4),
        "an end is never refused"
    );
    denials(at(1)).store(&folder.0).unwrap();
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (0, 5),
        "its time is over"
    );
    std::fs::write(folder.0.join("hooks/denials.json"), "{").unwrap();
    assert_eq!(
        hook(&folder, "client-connect", "Jürgen Müller"),
        (0, 6),
        "a broken list keeps nobody out"
    );
}
