//! What servers and hosts do that is rare: clients that are refused beside a session, clocks that are set, lists without addresses.

use std::fs;

use agent::inbox::{self, REFUSED};
use agent::tracker::{Boot, Memory, Observation, Settings, Tracker};
use agent_api::{Event, EventType};
use openvpn::management::{ClientEnded, Line, Notice, Reader};
use openvpn::status::{ListedClient, StatusReport};
use openvpn::{Environment, RealAddress};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const START: OffsetDateTime = datetime!(2026-02-13 12:00 UTC);

fn settings(hooks: bool) -> Settings {
    Settings {
        namespace: Settings::namespace_of("vpn-1"),
        hooks,
        update_interval: Duration::seconds(60),
        snapshot_interval: Duration::seconds(60),
    }
}

fn tracker(hooks: bool) -> Tracker {
    Tracker::new(settings(hooks), Memory::default())
}

fn after(seconds: i64) -> OffsetDateTime {
    START + Duration::seconds(seconds)
}

fn hook(script_type: &str, connected: i64, address: &str, more: &str) -> Observation {
    let connected = after(connected).unix_timestamp();
    Observation::Hook(Environment::parse(&format!(
        "script_type={script_type}\ncommon_name=jdoe\ntime_unix={connected}\nifconfig_pool_remote_ip={address}\n\
         trusted_ip=198.18.0.11\ntrusted_port=33360\n{more}"
    )))
}

fn list_of(version: u8, at: OffsetDateTime, seen_at: OffsetDateTime, clients: Vec<ListedClient>) -> Observation {
    let report = StatusReport {
        version,
        at,
        daemon: None,
        dco: None,
        clients,
    };
    Observation::Notice {
        at: seen_at,
        notice: Notice::Status(report),
    }
}

fn list(seconds: i64, clients: Vec<ListedClient>) -> Observation {
    list_of(3, after(seconds), after(seconds), clients)
}

fn client(connected: i64, address: &str, cid: u64, bytes: u64) -> ListedClient {
    ListedClient {
        common_name: "jdoe".to_owned(),
        real_ip: "198.18.0.11".parse().ok(),
        real_port: Some(33360),
        virtual_ip: address.parse().ok(),
        connected_at: Some(after(connected)),
        bytes_received: Some(bytes),
        bytes_sent: Some(bytes),
        cid: Some(cid),
        ..ListedClient::default()
    }
}

fn logged_end(seconds: i64, real_address: &str) -> Observation {
    let ended = ClientEnded {
        at: after(seconds),
        common_name: "jdoe".to_owned(),
        real: RealAddress::parse(real_address).unwrap(),
        reason: "delayed-exit".to_owned(),
    };
    Observation::Notice {
        at: after(seconds),
        notice: Notice::ClientEnded(ended),
    }
}

fn tick(tracker: &mut Tracker, seconds: i64) -> Vec<Event> {
    tracker.observe(Observation::Tick(after(seconds)))
}

fn of_type(events: &[Event], event_type: EventType) -> Vec<&Event> {
    events.iter().filter(|event| event.event_type == event_type).collect()
}

#[test]
fn a_client_that_the_hook_has_refused_was_no_session() {
    let mut tracker = tracker(true);
    let refused = hook("client-connect", 0, "10.8.0.2", "agent_refused=1");
    assert_eq!(tracker.observe(refused), []);
    // The next second had begun when the daemon was through with it.
    let end = "time_duration=1\nbytes_received=3000\nbytes_sent=3000";
    assert_eq!(tracker.observe(hook("client-disconnect", 0, "10.8.0.2", end)), []);
    // A device of the same VPN user that came before the denial, in that second and with that address, keeps its session.
    let other = "trusted_ip=198.18.0.12";
    let told = tracker.observe(hook("client-connect", 0, "10.8.0.2", other));
    assert_eq!(told.len(), 1);
    assert_eq!(
        tracker
            .observe(hook("client-disconnect", 0, "10.8.0.2", &format!("{end}\n{other}")))
            .len(),
        1
    );
}

/// `duplicate-cn`: another device of the VPN user is refused by its own configuration or by a denial, and logged like an end.
#[test]
fn a_client_that_was_refused_does_not_end_the_session_beside_it() {
    for hooks in [true, false] {
        let mut tracker = tracker(hooks);
        tracker.observe(hook("client-connect", 0, "10.8.0.2", ""));
        tracker.observe(list(10, vec![client(0, "10.8.0.2", 0, 1)]));
        let told = tracker.observe(logged_end(12, "203.0.113.9:50000"));
        assert!(told.is_empty(), "{told:?}");
        for seconds in (20..120).step_by(10) {
            let told = tracker.observe(list(seconds, vec![client(0, "10.8.0.2", 0, 1)]));
            assert!(of_type(&told, EventType::SessionDisconnected).is_empty(), "{told:?}");
            let told = tick(&mut tracker, seconds + 1);
            assert!(of_type(&told, EventType::SessionDisconnected).is_empty(), "{told:?}");
        }
        assert_eq!(tracker.len(), 1);
    }
}

/// DCO: the daemon asks the kernel for a list, and not for `bytecount`.
#[test]
fn where_the_kernel_moves_the_data_lists_have_its_counters() {
    let mut tracker = tracker(false);
    tracker.set_dco(true);
    let mut counted = |seconds: i64, bytes: u64| {
        tracker.observe(list(seconds, vec![client(0, "10.8.0.2", 7, bytes)]));
        let notice = Notice::ByteCount {
            cid: 7,
            received: 3_000,
            sent: 3_000,
        };
        let at = after(seconds);
        tracker.observe(Observation::Notice { at, notice });
        let told = tick(&mut tracker, seconds + 60);
        let updates = of_type(&told, EventType::SessionUpdated);
        updates.last().and_then(|event| event.session.as_ref()?.bytes_in)
    };
    assert_eq!(counted(10, 0), None, "the kernel did not say");
    assert_eq!(counted(80, 5_000_000), Some(5_000_000));
    assert_eq!(counted(150, 9_000_000), Some(9_000_000));
    assert_eq!(counted(220, 0), None, "what was told stays");
}

/// Daemons of 2.5 call a client established that the hook has just refused; and its hook's word came after that of another end.
#[test]
fn the_word_of_a_refusal_waits_for_no_other_end() {
    let folder = std::env::temp_dir().join(format!("agent-refusal-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for (name, variables) in [
        ("1", vec![("script_type", "client-connect"), ("common_name", "before")]),
        ("2", vec![("script_type", "client-disconnect"), ("common_name", "jdoe")]),
        ("3", vec![("script_type", "client-connect"), ("common_name", "after")]),
        (
            "4",
            vec![
                ("script_type", "client-connect"),
                ("common_name", "jdoe"),
                (REFUSED, "1"),
            ],
        ),
    ] {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        inbox::leave(&folder, name, variables).unwrap();
    }
    let due = inbox::due(inbox::waiting(&folder, 100).unwrap());
    let names: Vec<_> = due.iter().filter_map(|call| call.path.file_stem()).collect();
    assert_eq!(names, ["1", "4"]);
    fs::remove_dir_all(&folder).unwrap();
}

/// The list would end a session a moment before its hook tells how it ended.
#[test]
fn a_list_that_is_due_waits_for_the_hook_of_a_session_that_is_ending() {
    let mut tracker = tracker(true);
    for (connected, address) in [(0, "10.8.0.2"), (1, "10.8.0.3")] {
        tracker.observe(hook("client-connect", connected, address, ""));
    }
    tracker.observe(list(10, vec![client(0, "10.8.0.2", 0, 1), client(1, "10.8.0.3", 1, 1)]));
    let listed = |events: &[Event]| of_type(events, EventType::SessionSnapshot).len();
    assert_eq!(listed(&tick(&mut tracker, 10)), 1);
    tracker.observe(logged_end(69, "198.18.0.11:33360"));
    assert_eq!(listed(&tick(&mut tracker, 70)), 0);
    // Sessions end all the time: the list is told at last.
    tracker.observe(list(71, vec![client(1, "10.8.0.3", 1, 1)]));
    tracker.observe(logged_end(75, "198.18.0.11:33360"));
    assert_eq!(listed(&tick(&mut tracker, 79)), 0);
    assert_eq!(listed(&tick(&mut tracker, 80)), 1);
}

/// An IPv6 address is logged without its port, so the line may be about another client at that address.
#[test]
fn a_list_that_shows_a_session_after_its_logged_end_takes_that_back() {
    let mut tracker = tracker(true);
    tracker.observe(hook("client-connect", 0, "10.8.0.2", ""));
    tracker.observe(logged_end(5, "198.18.0.11"));
    tracker.observe(list(8, vec![client(0, "10.8.0.2", 0, 1)]));
    for seconds in [12, 16, 20, 60] {
        let told = tick(&mut tracker, seconds);
        assert!(of_type(&told, EventType::SessionDisconnected).is_empty(), "{told:?}");
    }
    assert_eq!(tracker.len(), 1);
}

#[test]
fn a_clock_that_is_set_back_stops_neither_updates_nor_lists_nor_ends() {
    let mut tracker = tracker(true);
    tracker.observe(hook("client-connect", 0, "10.8.0.2", ""));
    tracker.observe(hook("client-connect", 1, "10.8.0.3", ""));
    let both = |bytes| vec![client(0, "10.8.0.2", 0, bytes), client(1, "10.8.0.3", 1, bytes)];
    tracker.observe(list(70, both(5)));
    let before = tick(&mut tracker, 71);
    assert_eq!(of_type(&before, EventType::SessionUpdated).len(), 2);
    // The host's clock goes back by an hour; the daemon keeps its own going on.
    let mut told = Vec::new();
    for seconds in (80..400).step_by(10) {
        let bytes = u64::try_from(seconds).unwrap();
        let seen_at = after(seconds - 3_600);
        told.extend(tracker.observe(list_of(3, after(seconds), seen_at, both(bytes))));
        told.extend(tick(&mut tracker, seconds - 3_600));
    }
    let updates = of_type(&told, EventType::SessionUpdated);
    assert!(updates.len() >= 8, "{}", updates.len());
    let mut ids: Vec<_> = before.iter().chain(&told).map(|event| event.event_id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "the product takes an id once");
    assert!(of_type(&told, EventType::SessionSnapshot).len() >= 5);
    // Ends are logged by the daemon's clock.
    tracker.observe(logged_end(401, "198.18.0.11:33360"));
    tracker.observe(list_of(3, after(402), after(402 - 3_600), both(400).split_off(1)));
    let told = [420, 430].map(|seconds| tick(&mut tracker, seconds - 3_600)).concat();
    assert_eq!(of_type(&told, EventType::SessionDisconnected).len(), 1, "{told:?}");
}

/// `dev tap` without a pool: nobody has an address.
#[test]
fn sessions_without_addresses_are_found_in_the_list() {
    let mut tracker = tracker(true);
    tracker.observe(hook("client-connect", 0, "", ""));
    let mut ended = Vec::new();
    for seconds in (10..100).step_by(10) {
        ended.extend(tracker.observe(list(seconds, vec![client(0, "", 3, 100)])));
        ended.extend(tick(&mut tracker, seconds));
    }
    assert_eq!(tracker.len(), 1, "{ended:?}");
    assert!(!of_type(&ended, EventType::SessionUpdated).is_empty(), "and counted");
    // One that is still connecting, or was refused, is not taken for a session.
    let mut refused = client(50, "", 4, 100);
    refused.common_name = "dave".to_owned();
    let told = tracker.observe(list(110, vec![client(0, "", 3, 100), refused]));
    assert!(of_type(&told, EventType::SessionConnected).is_empty());
}

/// A status file does not tell of a daemon that was killed and started again; client ids and addresses begin anew.
#[test]
fn the_same_client_id_and_address_at_another_time_are_another_session() {
    let mut tracker = tracker(false);
    let one = tracker.observe(list(10, vec![client(0, "10.8.0.2", 0, 10)]));
    let two = tracker.observe(list(20, vec![client(15, "10.8.0.2", 0, 1)]));
    let opened = [&one, &two].map(|told| of_type(told, EventType::SessionConnected).len());
    assert_eq!(opened, [1, 1]);
    let told = tick(&mut tracker, 31);
    let lists = of_type(&told, EventType::SessionSnapshot);
    assert_eq!(lists.last().unwrap().sessions.as_ref().unwrap().len(), 1);
}

/// `status-version 1`, the daemon's default, writes the host's local time.
#[test]
fn a_list_in_another_time_zone_doubles_no_session() {
    let mut tracker = tracker(true);
    tracker.observe(hook("client-connect", 0, "10.8.0.2", ""));
    let mut listed = client(0, "10.8.0.2", 0, 10);
    (listed.connected_at, listed.cid) = (Some(after(5 * 3_600 + 1_800)), None);
    for seconds in [10, 20, 30] {
        let told = tracker.observe(list_of(
            1,
            after(5 * 3_600 + 1_800 + seconds),
            after(seconds),
            vec![listed.clone()],
        ));
        assert!(of_type(&told, EventType::SessionConnected).is_empty(), "{told:?}");
        let told = tick(&mut tracker, seconds + 1);
        let lists = of_type(&told, EventType::SessionSnapshot);
        assert!(
            lists.iter().all(|list| list.sessions.as_ref().unwrap().len() == 1),
            "{told:?}"
        );
    }
    assert_eq!(tracker.len(), 1);
    // Nobody has told of this one yet: the list's own time tells by how much it is off.
    let mut other = listed.clone();
    other.common_name = "alice".to_owned();
    (other.virtual_ip, other.connected_at) = ("10.8.0.9".parse().ok(), Some(after(5 * 3_600 + 1_800 + 33)));
    let told = tracker.observe(list_of(
        1,
        after(5 * 3_600 + 1_800 + 40),
        after(41),
        vec![listed, other],
    ));
    let opened = of_type(&told, EventType::SessionConnected);
    assert_eq!(opened[0].event_time_vpn, after(33));
}

/// By the daemon's own clock, which the agent reads again in its history whenever it attaches.
#[test]
fn a_restart_that_is_heard_is_the_one_in_the_daemons_history() {
    let mut tracker = tracker(true);
    let started_at = START.unix_timestamp();
    let boot = |restarted_at| Boot {
        started_at,
        pid: 7,
        restarted_at,
    };
    tracker.observe(Observation::Daemon(boot(0)));
    let line = format!(">STATE:{},RECONNECTING,SIGUSR1,,,,,", started_at + 100);
    let Line::Notice(notice) = Reader::default().read(&line) else {
        panic!("it is one")
    };
    // The host's clock was set back meanwhile.
    tracker.observe(Observation::Notice {
        at: after(-500),
        notice,
    });
    let life = tracker.boot_id();
    tracker.observe(Observation::Daemon(boot(started_at + 100)));
    assert_eq!(tracker.boot_id(), life);
}

/// A status file is written before it is read. What a snapshot tells is what the list told, when it told it.
#[test]
fn a_snapshot_states_the_time_of_its_list_and_nobody_who_is_gone() {
    let mut tracker = tracker(false);
    let both = || vec![client(0, "10.8.0.2", 0, 10), client(1, "10.8.0.3", 1, 10)];
    tracker.observe(list_of(2, after(60), after(60), both()));
    let told = tick(&mut tracker, 75);
    let first = of_type(&told, EventType::SessionSnapshot)[0].clone();
    assert_eq!(first.event_time_vpn, after(60));
    assert_eq!(first.sessions.unwrap().len(), 2);
    // Written before the snapshot was told, read after it.
    tracker.observe(list_of(2, after(70), after(70), vec![client(0, "10.8.0.2", 0, 99)]));
    let told = [76, 79, 85, 140, 141]
        .map(|seconds| tick(&mut tracker, seconds))
        .concat();
    for event in of_type(&told, EventType::SessionSnapshot) {
        assert!(event.event_time_vpn <= after(70), "{event:?}");
        assert_eq!(event.sessions.as_ref().unwrap().len(), 1, "{event:?}");
    }
    let updates = of_type(&told, EventType::SessionUpdated);
    assert!(
        updates
            .iter()
            .all(|update| update.event_time_vpn >= first.event_time_vpn)
    );
}

/// A connect is stamped with the second in which its handshake began, and handshakes overtake each other.
#[test]
fn the_last_to_get_an_address_is_the_last_to_hold_it() {
    for began in [0, -2] {
        let mut tracker = tracker(true);
        let first = tracker.observe(hook("client-connect", 0, "10.8.0.2", ""));
        tracker.observe(hook("client-disconnect", 0, "10.8.0.2", "time_duration=1"));
        let script = format!(
            "script_type=client-connect\ncommon_name=alice\ntime_unix={}\n",
            after(began).unix_timestamp()
        );
        let last = Environment::parse(&format!("{script}ifconfig_pool_remote_ip=10.8.0.2\n"));
        let last = tracker.observe(Observation::Hook(last));
        assert!(last[0].event_time_vpn > first[0].event_time_vpn, "{last:?}");
        assert!(last[0].event_time_vpn < after(1), "{last:?}");
    }
}

#[test]
fn an_address_of_another_life_in_the_same_second_is_held_by_the_later_one() {
    let mut tracker = tracker(true);
    let life = |pid: u32, name: &str, began: i64| {
        let connected = after(began).unix_timestamp();
        let started = if pid == 1 {
            START.unix_timestamp() - 100
        } else {
            connected
        };
        Observation::Hook(Environment::parse(&format!(
            "script_type=client-connect\ncommon_name={name}\ntime_unix={connected}\nifconfig_pool_remote_ip=10.8.0.2\n\
             daemon_pid={pid}\ndaemon_start_time={started}\n"
        )))
    };
    let first = tracker.observe(life(1, "jdoe", 0));
    let last = tracker.observe(life(2, "alice", 0));
    let [first, last] = [&first, &last].map(|told| of_type(told, EventType::SessionConnected)[0].event_time_vpn);
    assert!(first < last && last < after(1), "{first} {last}");
    // A clock that was set back by more than a handshake takes is believed.
    let told = tracker.observe(life(2, "bob", -3_600));
    let told = of_type(&told, EventType::SessionConnected);
    assert_eq!(told[0].event_time_vpn, after(-3_600));
}

/// Two devices with one certificate: the daemon throws one out for the other, and gives it the same address.
#[test]
fn sessions_that_are_alike_in_all_their_names_are_as_many_as_they_are() {
    let mut tracker = tracker(true);
    let from = |port: u16, more: &str| format!("trusted_port={port}\n{more}");
    let end = "bytes_received=1\nbytes_sent=2\ntime_duration=";
    let mut told = Vec::new();
    for port in [50_001, 50_002, 50_003] {
        told.extend(tracker.observe(hook("client-connect", 0, "10.8.0.2", &from(port, ""))));
        // Taken over again after kill -9.
        told.extend(tracker.observe(hook("client-connect", 0, "10.8.0.2", &from(port, ""))));
        if port != 50_003 {
            told.extend(tracker.observe(hook(
                "client-disconnect",
                0,
                "10.8.0.2",
                &from(port, &format!("{end}0")),
            )));
        }
    }
    for seconds in [10, 20, 30] {
        let mut listed = client(0, "10.8.0.2", 2, 5);
        // It has moved since.
        listed.real_port = Some(60_000);
        told.extend(tracker.observe(list(seconds, vec![listed])));
        told.extend(tick(&mut tracker, seconds + 1));
    }
    assert_eq!(tracker.len(), 1);
    told.extend(tracker.observe(hook(
        "client-disconnect",
        0,
        "10.8.0.2",
        &from(60_000, &format!("{end}40")),
    )));
    let connects = of_type(&told, EventType::SessionConnected);
    let ends = of_type(&told, EventType::SessionDisconnected);
    let mut ids: Vec<_> = connects.iter().map(|event| event.event_id).collect();
    let ended: Vec<_> = ends
        .iter()
        .map(|event| event.session.as_ref().unwrap().session_id.unwrap())
        .collect();
    assert_eq!(ended, ids, "each has its own end");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

/// The agent was away while the daemon restarted itself: hooks, or what is heard while it attaches, come before its history.
#[test]
fn a_session_that_is_told_before_the_life_it_belongs_to_stays_one() {
    for hooks in [true, false] {
        let mut tracker = tracker(hooks);
        let boot = |restarted_at| Boot {
            started_at: after(-100).unix_timestamp(),
            pid: 7,
            restarted_at,
        };
        let mut told = tracker.observe(Observation::Daemon(boot(0)));
        told.extend(tracker.observe(hook("client-connect", -50, "10.8.0.2", "")));
        told.extend(tracker.observe(hook("client-connect", 1, "10.8.0.2", "")));
        let listed = || list(5, vec![client(1, "10.8.0.2", 0, 5)]);
        if !hooks {
            told.extend(tracker.observe(listed()));
        }
        told.extend(tracker.observe(Observation::Daemon(boot(START.unix_timestamp()))));
        told.extend(tracker.observe(listed()));
        assert_eq!(of_type(&told, EventType::SessionConnected).len(), 2, "{told:?}");
        assert_eq!(tracker.len(), 1, "the one from before is over");
        // Nor does an agent that is killed then forget it.
        let mut memory = Memory::default();
        told.iter()
            .for_each(|event| memory.relive(&serde_json::to_value(event).unwrap()));
        assert_eq!(Tracker::new(settings(hooks), memory).len(), 1);
    }
}

#[test]
fn an_end_that_is_logged_waits_for_its_hook_whatever_the_clock_says() {
    let mut tracker = tracker(true);
    tracker.observe(hook("client-connect", 0, "10.8.0.2", ""));
    // The daemon's clock goes on from where the host's was before it was set back.
    let Observation::Notice { notice, .. } = logged_end(30, "198.18.0.11:33360") else {
        panic!("it is one")
    };
    tracker.observe(Observation::Notice {
        at: after(-3_570),
        notice,
    });
    assert!(tick(&mut tracker, -3_569).is_empty(), "its counters are not known yet");
    let told = tracker.observe(hook(
        "client-disconnect",
        0,
        "10.8.0.2",
        "time_duration=30\nbytes_received=1\nbytes_sent=2",
    ));
    let session = told[0].session.as_ref().unwrap();
    assert_eq!(
        (session.bytes_in, session.disconnect_reason.as_deref()),
        (Some(1), Some("delayed-exit"))
    );
}
