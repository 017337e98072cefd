//! What the recorded runs of real OpenVPN daemons come to.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use agent_api::{BytesSource, Event, EventType, Session, format_time};
use fleet_simulator::recording::{ExpectedSession, Recording, ReplayedBoot, expected_sessions, find_runs, replay};
use openvpn::status::parse_status;
use uuid::Uuid;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/openvpn")
}

fn recordings() -> Vec<Recording> {
    let runs = find_runs(&fixtures()).unwrap();
    runs.iter().map(|run| Recording::load(run).unwrap()).collect()
}

fn recording(run: &str) -> Recording {
    recordings().into_iter().find(|recording| recording.run == run).unwrap()
}

fn boots(run: &str) -> Vec<ReplayedBoot> {
    replay(&recording(run), &format!("rec-{run}"))
}

fn of_type(boots: &[ReplayedBoot], event_type: EventType) -> Vec<&Event> {
    boots
        .iter()
        .flat_map(|boot| &boot.events)
        .filter(|event| event.event_type == event_type)
        .collect()
}

fn session(event: &Event) -> &Session {
    event.session.as_ref().unwrap()
}

/// Common name and the seconds of connect and end, of each session that has a connect event.
fn lives(run: &str) -> Vec<(String, i64, Option<i64>)> {
    let boots = boots(run);
    let ends: BTreeMap<Uuid, i64> = of_type(&boots, EventType::SessionDisconnected)
        .into_iter()
        .map(|end| (session(end).session_id.unwrap(), end.event_time_vpn.unix_timestamp()))
        .collect();
    let connects = of_type(&boots, EventType::SessionConnected).into_iter();
    connects
        .map(|connect| {
            let name = session(connect).common_name.clone();
            (
                name,
                connect.event_time_vpn.unix_timestamp(),
                ends.get(&connect.event_id).copied(),
            )
        })
        .collect()
}

fn life(name: &str, from: i64, to: impl Into<Option<i64>>) -> (String, i64, Option<i64>) {
    (
        name.to_owned(),
        1_795_000_000 + from,
        to.into().map(|to| 1_795_000_000 + to),
    )
}

#[test]
fn every_end_script_is_matched_by_a_session_with_its_very_facts() {
    let mut compared = 0;
    for recording in recordings() {
        let boots = replay(&recording, "vpn");
        let ends = of_type(&boots, EventType::SessionDisconnected);
        for expected in expected_sessions(&recording, "vpn") {
            let found: Vec<&&Event> = ends.iter().filter(|end| ended_as(&boots, end, &expected)).collect();
            assert_eq!(found.len(), 1, "{expected:?}");
            compared += 1;
        }
    }
    assert_eq!(compared, 12);
}

fn ended_as(boots: &[ReplayedBoot], end: &Event, expected: &ExpectedSession) -> bool {
    let facts = session(end);
    let connect = of_type(boots, EventType::SessionConnected)
        .into_iter()
        .find(|connect| Some(connect.event_id) == facts.session_id)
        .unwrap();
    connect.event_time_vpn == expected.connected_at
        && session(connect).username == expected.username
        && end.event_time_vpn == expected.disconnected_at
        && facts.common_name == expected.common_name
        && facts.duration_seconds == Some(expected.duration_seconds)
        && facts.bytes_in == Some(expected.bytes_in)
        && facts.bytes_out == Some(expected.bytes_out)
        && facts.bytes_source == Some(BytesSource::Final)
        && (facts.real_ip, facts.real_port) == (expected.real_ip, expected.real_port)
        && (facts.virtual_ip, facts.virtual_ip6) == (expected.virtual_ip, expected.virtual_ip6)
}

#[test]
fn run_a_has_all_kinds_of_ends_and_a_restart() {
    assert_eq!(
        lives("a"),
        [
            life("jdoe@company.com", 300_557, 300_603),
            life("Jürgen Müller", 300_557, 300_615),
            life("branch-office-01", 300_558, 300_627),
            life("alice", 300_558, 300_617),
            life("bob", 300_558, 300_648),
            life("carol", 300_558, 300_639),
            life("alice", 300_617, 300_626),
            life("branch-office-01", 300_633, None),
            life("carol", 300_645, 300_675),
            life("bob", 300_648, None),
            life("jdoe@company.com", 300_663, 300_668),
            life("Jürgen Müller", 300_676, None),
            life("branch-office-01", 300_676, None),
            life("bob", 300_676, None),
            life("carol", 300_676, None),
        ]
    );
    let boots = boots("a");
    assert_eq!(boots.len(), 2);
    assert_eq!(of_type(&boots, EventType::ServerStarted).len(), 2);
    assert_eq!(of_type(&boots, EventType::ServerStopped).len(), 1);
}

#[test]
fn a_refused_client_has_no_session_in_any_run() {
    for recording in recordings() {
        for boot in replay(&recording, "vpn") {
            let facts = boot
                .events
                .iter()
                .flat_map(|event| event.session.iter().chain(event.sessions.iter().flatten()));
            assert!(
                facts.into_iter().all(|facts| facts.common_name != "dave"),
                "run {}",
                recording.run
            );
        }
    }
}

#[test]
fn reauthentication_opens_no_session_and_a_denied_client_closes_none() {
    assert_eq!(
        lives("b"),
        [
            life("jdoe@company.com", 300_370, 300_498),
            life("branch-office-01", 300_372, 300_502),
            life("alice", 300_372, 300_500),
            life("Jürgen Müller", 300_374, 300_490),
            life("alice", 300_500, 300_503),
            life("alice", 300_502, 300_523),
            // Both with env-filter: no common name or no connect time in the environment.
            life("carol", 300_506, 300_512),
            life("bob", 300_511, 300_516),
        ]
    );
}

#[test]
fn one_common_name_has_two_sessions_where_the_server_allows_it() {
    assert_eq!(
        lives("c"),
        [
            life("jdoe@company.com", 298_890, 298_906),
            life("jdoe@company.com", 298_890, 298_906),
            life("alice", 298_890, None),
            life("jdoe@company.com", 298_912, None),
            life("jdoe@company.com", 298_913, 298_923),
            life("jdoe@company.com", 298_930, None),
            life("alice", 298_931, None),
        ]
    );
    let needs_it: Vec<String> = recordings()
        .into_iter()
        .filter(|recording| recording.duplicate_cn)
        .map(|recording| recording.run)
        .collect();
    assert_eq!(needs_it, ["c"]);
}

#[test]
fn the_other_runs_have_these_sessions() {
    assert_eq!(
        lives("d"),
        [life("jdoe@company.com", 298_945, None), life("alice", 298_945, 298_957)]
    );
    assert_eq!(
        lives("d2"),
        [
            life("jdoe@company.com", 298_963, 298_966),
            life("alice", 298_963, 298_964)
        ]
    );
    assert_eq!(lives("e"), [life("jdoe@company.com", 299_127, None)]);
    assert_eq!(
        lives("e2"),
        [life("jdoe@company.com", 299_215, None), life("alice", 299_215, None)]
    );
    assert_eq!(lives("f"), [life("jdoe@company.com", 299_060, None)]);
    assert_eq!(lives("g"), [life("jdoe@company.com", 301_181, 301_196)]);
}

#[test]
fn a_client_that_came_while_no_agent_was_attached_is_known_from_the_list_alone() {
    let boots = boots("a");
    let snapshots = of_type(&boots, EventType::SessionSnapshot);
    let unknown: Vec<(String, &Session)> = snapshots
        .iter()
        .flat_map(|snapshot| {
            snapshot
                .sessions
                .iter()
                .flatten()
                .map(|row| (format_time(snapshot.event_time_vpn), row))
        })
        .filter(|(_, row)| row.session_id.is_none())
        .collect();
    let [(seen_at, row)] = unknown.as_slice() else {
        panic!("{unknown:?}")
    };
    assert_eq!(seen_at, "2026-11-21T22:37:48.000Z");
    assert_eq!((row.common_name.as_str(), row.cid), ("Jürgen Müller", Some(15)));
    assert_eq!(
        row.connected_at.map(format_time).as_deref(),
        Some("2026-11-21T22:37:47.000Z")
    );
    // Its counters go on without a session id.
    let updates = of_type(&boots, EventType::SessionUpdated);
    assert!(
        updates
            .iter()
            .any(|update| session(update).cid == Some(15) && session(update).session_id.is_none())
    );
}

#[test]
fn a_client_that_moved_is_followed_by_the_list() {
    let boots = boots("a");
    let connect = of_type(&boots, EventType::SessionConnected)
        .into_iter()
        .find(|event| session(event).cid == Some(12));
    assert_eq!(session(connect.unwrap()).real_ip, Some("198.18.0.16".parse().unwrap()));
    let updates = of_type(&boots[..1], EventType::SessionUpdated);
    let last = updates
        .into_iter()
        .rfind(|event| session(event).cid == Some(12))
        .unwrap();
    assert_eq!(session(last).real_ip, Some("198.18.5.77".parse().unwrap()));
}

#[test]
fn the_file_that_a_dead_daemon_left_behind_is_no_proof() {
    let last_list = |run: &str| {
        let boots = boots(run);
        let last = of_type(&boots, EventType::SessionSnapshot)
            .last()
            .map(|event| event.event_time_vpn);
        last.unwrap().unix_timestamp()
    };
    assert_eq!(last_list("a"), 1_795_300_688);
    // The daemon of run b still lived for two seconds after its last file.
    assert_eq!(last_list("b"), 1_795_300_521);
}

#[test]
fn a_list_taken_while_a_client_was_still_connecting_is_withheld() {
    let boots = boots("e");
    let times: Vec<i64> = of_type(&boots, EventType::SessionSnapshot)
        .iter()
        .map(|snapshot| snapshot.event_time_vpn.unix_timestamp())
        .collect();
    assert_eq!(times, [1_795_299_144]);
}

#[test]
fn ipv6_clients_keep_their_port_though_the_list_does_not_print_it() {
    let boots = boots("d");
    let rows = of_type(&boots, EventType::SessionSnapshot)[0]
        .sessions
        .as_ref()
        .unwrap()
        .clone();
    let alice = rows.iter().find(|row| row.common_name == "alice").unwrap();
    assert_eq!(
        (alice.real_ip, alice.real_port),
        (Some("fd18:1::c".parse().unwrap()), Some(56188))
    );
}

#[test]
fn nothing_secret_and_no_empty_or_undefined_name_is_ever_sent() {
    for recording in recordings() {
        let text = serde_json::to_string(
            &replay(&recording, "vpn")
                .iter()
                .map(|boot| &boot.events)
                .collect::<Vec<_>>(),
        );
        let text = text.unwrap();
        assert!(
            !text.contains("lab-secret") && !text.contains("password"),
            "run {}",
            recording.run
        );
        assert!(
            !text.contains("UNDEF") && !text.contains(r#""common_name":"""#),
            "run {}",
            recording.run
        );
    }
}

#[test]
fn numbers_are_contiguous_within_a_boot_and_follow_time() {
    for recording in recordings() {
        for boot in replay(&recording, "vpn") {
            let numbers: Vec<u64> = boot.events.iter().filter_map(|event| event.seq).collect();
            assert_eq!(numbers, (1..=boot.events.len() as u64).collect::<Vec<_>>());
            assert!(boot.events.is_sorted_by_key(|event| event.event_time_vpn));
        }
    }
}

#[test]
fn replaying_again_gives_the_same_ids_and_another_server_gives_others() {
    let ids = |server: &str| -> HashSet<Uuid> {
        let recordings = recordings();
        let boots = recordings
            .iter()
            .flat_map(|recording| replay(recording, &format!("{server}{}", recording.run)));
        boots
            .flat_map(|boot| boot.events.into_iter().map(|event| event.event_id))
            .collect()
    };
    let first = ids("rec-");
    assert_eq!(first, ids("rec-"));
    assert!(first.is_disjoint(&ids("other-")));
    let events: usize = recordings()
        .iter()
        .flat_map(|recording| replay(recording, &format!("rec-{}", recording.run)))
        .map(|boot| boot.events.len())
        .sum();
    assert_eq!(first.len(), events);
}

#[test]
fn the_three_versions_of_status_tell_of_the_same_clients() {
    let read = |version: u8, run: &str, when: &str| {
        let path = fixtures().join(run).join(format!("mgmt-status{version}-{when}.txt"));
        parse_status(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    for (run, when) in [
        ("a-no-client-auth", "0-empty"),
        ("a-no-client-auth", "2-six-clients"),
        ("a-no-client-auth", "3-undef-and-disabled"),
        ("a-no-client-auth", "7-after-float"),
        ("b-client-auth", "1-four-clients"),
        ("c-duplicate-cn-tcp-mgmt-hold", "1-two-sessions-one-cn"),
        ("d-udp6-dual-stack", "1-v4-and-v6-transport"),
        ("d2-tcp-transport", "1-tcp"),
        ("e-client-auth-nobody-attached", "1-pending-client"),
        ("g-minimal-no-scripts", "1-one-client"),
    ] {
        let [one, two, three] = [1, 2, 3].map(|version| read(version, run, when));
        assert_eq!(two.clients, three.clients, "{run} {when}");
        assert_eq!((one.at, two.at), (three.at, three.at), "{run} {when}");
        // Not the IPv6 address: version 1 takes it from the routing table, which shows only the last of two holders (run b).
        let essence = |report: &openvpn::status::StatusReport| -> Vec<_> {
            let rows = report.clients.iter().cloned();
            rows.map(|row| {
                (
                    row.is_session(),
                    row.common_name,
                    row.real_ip,
                    row.virtual_ip,
                    row.bytes_received,
                )
            })
            .collect()
        };
        assert_eq!(essence(&one), essence(&three), "{run} {when}");
    }
}

#[test]
fn counters_of_a_session_never_go_down_though_lists_are_dated_to_the_whole_second() {
    for recording in recordings() {
        for boot in replay(&recording, "vpn") {
            let mut counters = BTreeMap::new();
            let facts = boot
                .events
                .iter()
                .flat_map(|event| event.session.iter().chain(event.sessions.iter().flatten()));
            for facts in facts.filter(|facts| facts.bytes_in.is_some()) {
                let before = counters
                    .insert(facts.session_id, (facts.bytes_in, facts.bytes_out))
                    .unwrap_or_default();
                assert!(
                    before.0 <= facts.bytes_in && before.1 <= facts.bytes_out,
                    "run {}: {facts:?}",
                    recording.run
                );
            }
        }
    }
}
