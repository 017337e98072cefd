//! Recorded runs of real daemons through the tracker: its events state what the daemon's own scripts stated.

use std::fs;
use std::path::{Path, PathBuf};

use agent::tracker::{Boot, Memory, Observation, Settings, Tracker};
use agent_api::{BytesSource, Event, EventType};
use openvpn::Environment;
use openvpn::management::{Notice, TimedNotice, parse_transcript};
use openvpn::status::parse_status;
use time::{Duration, OffsetDateTime};

pub(super) fn folder(run: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/openvpn")
        .join(run)
}

/// What the daemon said, in the order of time, from all its transcripts.
pub(super) fn notices(run: &str) -> Vec<TimedNotice> {
    let mut notices = Vec::new();
    for entry in fs::read_dir(folder(run)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "timed") {
            notices.extend(parse_transcript(&String::from_utf8_lossy(&fs::read(path).unwrap())));
        }
    }
    notices.sort_by_key(|notice| notice.at);
    notices
}

/// The environments of scripts, with the second of the call.
fn hooks(run: &str) -> Vec<(OffsetDateTime, Environment)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(run).join("script-env")).into_iter().flatten() {
        let text = String::from_utf8_lossy(&fs::read(entry.unwrap().path()).unwrap()).into_owned();
        let date = text.lines().find_map(|line| line.strip_prefix("# date: ")).unwrap();
        let at = OffsetDateTime::from_unix_timestamp(date.trim().parse().unwrap()).unwrap();
        found.push((at, Environment::parse(&text)));
    }
    found.sort_by_key(|(at, _)| *at);
    found
}

pub(super) fn tracker(hooks: bool) -> Tracker {
    let settings = Settings {
        namespace: Settings::namespace_of("vpn-1"),
        hooks,
        update_interval: Duration::seconds(5),
        snapshot_interval: Duration::seconds(60),
    };
    Tracker::new(settings, Memory::default())
}

/// Plays a run as the agent would have heard it, with the sources that are named.
pub(super) fn play(run: &str, tracker: &mut Tracker, with_notices: bool, with_hooks: bool) -> Vec<Event> {
    let notices = if with_notices { notices(run) } else { Vec::new() };
    let hooks = if with_hooks { hooks(run) } else { Vec::new() };
    let mut observations: Vec<(OffsetDateTime, u8, Observation)> = Vec::new();
    for TimedNotice { at, notice } in notices {
        observations.push((at, 1, Observation::Notice { at, notice }));
    }
    for (at, environment) in hooks {
        observations.push((at, 0, Observation::Hook(environment)));
    }
    observations.sort_by_key(|(at, order, _)| (*at, *order));
    let (Some(first), Some(last)) = (observations.first().map(|o| o.0), observations.last().map(|o| o.0)) else {
        return Vec::new();
    };
    let mut events = Vec::new();
    let mut now = first;
    let mut observations = observations.into_iter().peekable();
    while now <= last + Duration::seconds(90) {
        while let Some((_, _, observation)) = observations.next_if(|(at, ..)| *at <= now) {
            events.extend(tracker.observe(observation));
        }
        events.extend(tracker.observe(Observation::Tick(now)));
        now += Duration::milliseconds(500);
    }
    events
}

pub(super) fn of_type(events: &[Event], event_type: EventType) -> Vec<&Event> {
    events.iter().filter(|event| event.event_type == event_type).collect()
}

pub(super) fn ended_as_scripts_say(run: &str, events: &[Event]) {
    for (_, environment) in hooks(run) {
        let (Some("client-disconnect"), Some(lasted)) =
            (environment.text("script_type"), environment.number("time_duration"))
        else {
            continue;
        };
        let name = environment.common_name().unwrap();
        if name == "dave" {
            assert!(!events.iter().any(|event| {
                event
                    .session
                    .as_ref()
                    .is_some_and(|session| session.common_name == "dave")
            }));
            continue;
        }
        let end = environment.connected_at().unwrap() + Duration::seconds(lasted as i64);
        let found = of_type(events, EventType::SessionDisconnected)
            .into_iter()
            .filter(|event| {
                let session = event.session.as_ref().unwrap();
                session.common_name == name
                    && event.event_time_vpn == end
                    && session.virtual_ip == environment.virtual_ip()
            });
        let found: Vec<&Event> = found.collect();
        assert_eq!(found.len(), 1, "{run}: one end of {name} at {end}");
        let session = found[0].session.as_ref().unwrap();
        assert_eq!(session.bytes_in, environment.number("bytes_received"), "{run} {name}");
        assert_eq!(session.bytes_out, environment.number("bytes_sent"), "{run} {name}");
        assert_eq!(session.bytes_source, Some(BytesSource::Final));
        let connect = of_type(events, EventType::SessionConnected);
        let connects = connect
            .iter()
            .filter(|event| Some(event.event_id) == session.session_id)
            .count();
        assert_eq!(connects, 1, "{run}: {name} was connected before, once");
    }
}

#[test]
fn hooks_alone_tell_every_session_with_its_final_counters() {
    for run in ["a-no-client-auth", "b-client-auth", "d-udp6-dual-stack"] {
        ended_as_scripts_say(run, &play(run, &mut tracker(true), false, true));
    }
}

#[test]
fn hooks_and_management_interface_together_tell_no_session_twice() {
    for run in ["a-no-client-auth", "b-client-auth", "d-udp6-dual-stack"] {
        let events = play(run, &mut tracker(true), true, true);
        ended_as_scripts_say(run, &events);
        for event_type in [EventType::SessionConnected, EventType::SessionDisconnected] {
            let mut ids: Vec<_> = of_type(&events, event_type)
                .into_iter()
                .map(|event| event.event_id)
                .collect();
            let count = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count, "{run}: {event_type:?} twice");
        }
    }
}

#[test]
fn the_management_interface_alone_misses_only_what_happened_while_it_was_not_attached() {
    let sessions = |events: &[Event]| {
        let connect = |event: &&Event| {
            let session = event.session.as_ref().unwrap();
            (
                session.common_name.clone(),
                event.event_time_vpn,
                session.virtual_ip,
                event.event_id,
            )
        };
        let mut sessions: Vec<_> = of_type(events, EventType::SessionConnected)
            .iter()
            .map(connect)
            .collect();
        sessions.sort();
        sessions
    };
    let heard = play("a-no-client-auth", &mut tracker(false), true, false);
    let with_hooks = play("a-no-client-auth", &mut tracker(true), true, true);
    // While nobody was attached to the management interface, one client came and went: only the hooks have seen it.
    let missed: Vec<_> = sessions(&with_hooks)
        .into_iter()
        .filter(|session| !sessions(&heard).contains(session))
        .collect();
    assert_eq!(missed.len(), 1);
    assert_eq!(missed[0].0, "jdoe@company.com");
    assert_eq!(sessions(&heard).len() + 1, sessions(&with_hooks).len());
    let ended = of_type(&heard, EventType::SessionDisconnected);
    assert!(
        ended
            .iter()
            .all(|event| event.session.as_ref().unwrap().bytes_source == Some(BytesSource::LastPoll))
    );
    assert!(
        ended
            .iter()
            .any(|event| event.session.as_ref().unwrap().disconnect_reason.as_deref() == Some("delayed-exit"))
    );
}

#[test]
fn a_float_is_an_update_and_no_new_session() {
    let events = play("a-no-client-auth", &mut tracker(true), true, true);
    let floated = "198.18.5.77".parse().unwrap();
    let updates = of_type(&events, EventType::SessionUpdated);
    let float = updates
        .iter()
        .find(|event| event.session.as_ref().unwrap().real_ip == Some(floated))
        .unwrap();
    let session = float.session.as_ref().unwrap();
    assert_eq!(session.common_name, "carol");
    let connect = of_type(&events, EventType::SessionConnected)
        .into_iter()
        .find(|event| Some(event.event_id) == session.session_id);
    assert_ne!(
        connect.unwrap().session.as_ref().unwrap().real_ip,
        Some(floated),
        "it had begun from another address"
    );
}

#[test]
fn two_sessions_of_one_name_are_two() {
    let events = play("c-duplicate-cn-tcp-mgmt-hold", &mut tracker(true), true, true);
    let connects = of_type(&events, EventType::SessionConnected);
    let of_name: Vec<_> = connects
        .iter()
        .filter(|event| event.session.as_ref().unwrap().common_name == "jdoe@company.com")
        .collect();
    assert!(of_name.len() >= 2);
    assert_ne!(
        of_name[0].session.as_ref().unwrap().virtual_ip,
        of_name[1].session.as_ref().unwrap().virtual_ip
    );
}

#[test]
fn a_restart_of_the_daemon_is_a_new_boot_and_ends_its_sessions() {
    let mut tracker = tracker(false);
    let boot = Boot {
        started_at: 1_795_300_549,
        pid: 30_292,
        restarted_at: 0,
    };
    tracker.observe(Observation::Daemon(boot));
    let first = tracker.boot_id();
    let events = play("a-no-client-auth", &mut tracker, true, false);
    assert_ne!(
        tracker.boot_id(),
        first,
        "SIGUSR1 begins another life in the same process"
    );
    assert!(!of_type(&events, EventType::ServerStarted).is_empty());
    assert!(!of_type(&events, EventType::ServerStopped).is_empty());
    assert!(tracker.is_empty());
}

#[test]
fn a_session_that_a_list_could_not_have_yet_is_in_the_next_at_once() {
    let mut tracker = tracker(true);
    let second = OffsetDateTime::from_unix_timestamp(1_795_300_600).unwrap();
    let nobody = parse_status("TITLE\tOpenVPN 2.6.14\nTIME\t2026-11-21 22:36:40\t1795300600\nEND\n").unwrap();
    let notice = Notice::Status(nobody);
    let at = second + Duration::milliseconds(600);
    tracker.observe(Observation::Notice { at, notice });
    let told = tracker.observe(Observation::Tick(at + Duration::milliseconds(100)));
    let listed = |told: &[Event]| {
        of_type(told, EventType::SessionSnapshot)[0]
            .sessions
            .as_ref()
            .map(Vec::len)
    };
    assert_eq!(listed(&told), Some(0));
    // Later in the same second; the daemon tells seconds only.
    let hook = "script_type=client-connect\ntime_unix=1795300600\ncommon_name=jdoe\ntrusted_ip=198.18.0.11\nifconfig_pool_remote_ip=10.66.0.2\n";
    let told = tracker.observe(Observation::Hook(Environment::parse(hook)));
    assert_eq!(of_type(&told, EventType::SessionConnected).len(), 1);
    let told = tracker.observe(Observation::Tick(at + Duration::milliseconds(600)));
    assert_eq!(listed(&told), Some(1));
    let told = tracker.observe(Observation::Tick(at + Duration::milliseconds(1_100)));
    assert!(of_type(&told, EventType::SessionSnapshot).is_empty(), "once is enough");
}

#[test]
fn a_memory_taken_in_the_middle_goes_on_as_if_nothing_had_happened() {
    let mut whole = tracker(true);
    let all = play("a-no-client-auth", &mut whole, true, true);
    let settings = Settings {
        namespace: Settings::namespace_of("vpn-1"),
        hooks: true,
        update_interval: Duration::seconds(5),
        snapshot_interval: Duration::seconds(60),
    };
    // Nothing but what is on disk: events, one by one.
    let mut memory = Memory::default();
    for event in &all {
        memory.relive(&serde_json::to_value(event).unwrap());
    }
    let mut again = Tracker::new(settings, memory);
    let repeated = play("a-no-client-auth", &mut again, false, true);
    let ends = of_type(&repeated, EventType::SessionDisconnected);
    assert!(
        of_type(&repeated, EventType::SessionConnected).is_empty(),
        "no session is opened again"
    );
    assert!(
        ends.iter()
            .all(|event| all.iter().any(|known| known.event_id == event.event_id))
    );
}
