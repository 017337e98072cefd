//! Each rule of the timeline, as a story.

use domain::event::{BytesSource, EventType, SessionFacts};
use domain::session::{End, EndedBy, TERMINATED};

use crate::story::{MINUTE, Story, at, facts, inferred, reported};

#[test]
fn a_disconnect_ends_the_latest_session_of_its_user_that_began_before_it() {
    let mut story = Story::with_duplicate_cn();
    let first = story.connects("jdoe", "10.8.0.2", "10:00:00");
    let second = story.connects("jdoe", "10.8.0.3", "10:30:00");
    let third = story.connects("jdoe", "10.8.0.4", "12:00:00");
    story.disconnects("jdoe", "", "11:00:00");
    assert_eq!(story.end(first), None);
    assert_eq!(story.end(second), reported("11:00:00"));
    assert_eq!(story.end(third), None);
}

#[test]
fn a_disconnect_with_an_address_ends_the_session_that_has_it() {
    let mut story = Story::with_duplicate_cn();
    let first = story.connects("jdoe", "10.8.0.2", "10:00:00");
    let second = story.connects("jdoe", "10.8.0.3", "10:30:00");
    story.disconnects("jdoe", "10.8.0.2", "11:00:00");
    assert_eq!(story.end(first), reported("11:00:00"));
    assert_eq!(story.end(second), None);
}

#[test]
fn a_disconnect_that_names_its_session_ends_that_one() {
    let mut story = Story::with_duplicate_cn();
    let first = story.connects("jdoe", "10.8.0.2", "10:00:00");
    let second = story.connects("jdoe", "10.8.0.3", "10:30:00");
    story.disconnects_session("jdoe", first, "11:00:00");
    assert_eq!(story.end(first), reported("11:00:00"));
    assert_eq!(story.end(second), None);
}

#[test]
fn a_disconnect_waits_for_its_connect() {
    let mut story = Story::default();
    let waiting = story.disconnects("jdoe", "", "11:00:00");
    assert_eq!(story.timeline().unmatched, [waiting]);
    let late = story.connects("jdoe", "10.8.0.2", "10:00:00");
    assert!(story.timeline().unmatched.is_empty());
    assert_eq!(story.end(late), reported("11:00:00"));
}

#[test]
fn a_disconnect_by_id_from_before_its_connect_gives_a_session_of_no_length() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "11:00:00");
    story.disconnects_session("jdoe", session, "10:59:58");
    assert_eq!(story.end(session), reported("11:00:00"));
}

#[test]
fn a_second_disconnect_changes_nothing() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.disconnects("jdoe", "", "11:00:00");
    let second = story.disconnects("jdoe", "", "12:00:00");
    assert_eq!(story.end(session), reported("11:00:00"));
    assert_eq!(story.timeline().unmatched, [second]);
}

#[test]
fn an_end_that_the_agent_brought_about_on_request_is_told_apart_and_counts_as_reported() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    // It comes back before its old session is over.
    story.connects("jdoe", "10.8.0.2", "10:59:58");
    let end = SessionFacts {
        session_id: Some(session),
        disconnect_reason: Some(TERMINATED.to_owned()),
        ..facts("jdoe", "")
    };
    story.tell(EventType::SessionDisconnected, "11:00:00", vec![end]);
    let terminated = End {
        ended_by: EndedBy::Terminated,
        ..reported("11:00:00").unwrap()
    };
    assert_eq!(story.end(session), Some(terminated));
    // Neither a late proof of life nor another report changes it.
    story.disconnects_session("jdoe", session, "11:05:00");
    assert_eq!(story.end(session), Some(terminated));
}

#[test]
fn a_connect_supersedes_the_older_session_of_its_address() {
    let mut story = Story::default();
    let older = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.counts("jdoe", 10, 10, "10:20:00");
    let newer = story.connects("bob", "10.8.0.2", "11:00:00");
    assert_eq!(story.end(older), inferred(EndedBy::Superseded, "10:20:00", "11:00:00"));
    assert_eq!(story.end(newer), None);
}

#[test]
fn a_connect_supersedes_the_older_session_of_its_user_unless_the_server_allows_several() {
    for (mut story, superseded) in [(Story::default(), true), (Story::with_duplicate_cn(), false)] {
        let older = story.connects("jdoe", "10.8.0.2", "10:00:00");
        story.connects("jdoe", "10.8.0.3", "11:00:00");
        let end = superseded.then(|| inferred(EndedBy::Superseded, "10:00:00", "11:00:00").unwrap());
        assert_eq!(story.end(older), end);
    }
}

#[test]
fn a_disconnect_shortly_after_the_takeover_is_still_the_old_sessions() {
    let mut story = Story::default();
    let older = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.connects("bob", "10.8.0.2", "11:00:00");
    story.disconnects("jdoe", "10.8.0.2", "11:00:03");
    assert_eq!(story.end(older), reported("11:00:03"));
}

#[test]
fn a_disconnect_long_after_the_takeover_belongs_to_a_session_nobody_has_reported() {
    let mut story = Story::default();
    let older = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.connects("bob", "10.8.0.2", "11:00:00");
    let stray = story.disconnects("jdoe", "10.8.0.2", "12:00:00");
    assert_eq!(story.end(older), inferred(EndedBy::Superseded, "10:00:00", "11:00:00"));
    assert_eq!(story.timeline().unmatched, [stray]);
}

#[test]
fn a_start_or_stop_of_the_daemon_ends_every_older_session() {
    for event_type in [EventType::ServerStarted, EventType::ServerStopped] {
        let mut story = Story::default();
        let older = story.connects("jdoe", "10.8.0.2", "10:00:00");
        story.server(event_type, "11:00:00");
        let newer = story.connects("bob", "10.8.0.3", "11:00:05");
        assert_eq!(
            story.end(older),
            inferred(EndedBy::ServerRestart, "10:00:00", "11:00:00")
        );
        assert_eq!(story.end(newer), None);
    }
}

#[test]
fn a_new_boot_ends_every_older_session() {
    let mut story = Story::default();
    let older = story.boot(1).connects("jdoe", "10.8.0.2", "10:00:00");
    let newer = story.boot(2).connects("bob", "10.8.0.3", "11:00:00");
    assert_eq!(
        story.end(older),
        inferred(EndedBy::ServerRestart, "10:00:00", "11:00:00")
    );
    assert_eq!(story.end(newer), None);
}

#[test]
fn a_snapshot_ends_what_it_does_not_list_and_proves_what_it_lists() {
    let mut story = Story::default();
    let gone = story.connects("jdoe", "10.8.0.2", "10:00:00");
    let there = story.connects("bob", "10.8.0.3", "10:00:00");
    story.lists(vec![facts("bob", "10.8.0.3")], "10:01:00");
    assert_eq!(story.end(gone), inferred(EndedBy::Reconciled, "10:00:00", "10:01:00"));
    assert_eq!(story.end(there), None);
    assert_eq!(story.session(there).last_seen_at, at("10:01:00"));
}

#[test]
fn a_snapshot_opens_a_session_that_nobody_reported() {
    let mut story = Story::default();
    let entry = SessionFacts {
        connected_at: Some(at("09:00:00")),
        ..facts("jdoe", "10.8.0.2")
    };
    story.lists(vec![entry.clone()], "10:01:00");
    story.lists(vec![entry], "10:02:00");
    let timeline = story.timeline();
    let sessions = &timeline.sessions["jdoe"];
    assert_eq!(sessions.len(), 1);
    assert!(sessions[0].opened_by_snapshot);
    assert_eq!(
        (sessions[0].connected_at, sessions[0].last_seen_at),
        (at("09:00:00"), at("10:02:00"))
    );
}

#[test]
fn the_late_connect_of_a_session_known_by_snapshot_gives_one_session() {
    let mut story = Story::default();
    let entry = SessionFacts {
        connected_at: Some(at("09:00:00")),
        ..facts("jdoe", "10.8.0.2")
    };
    story.lists(vec![entry], "10:01:00");
    let connect = story.connects("jdoe", "10.8.0.2", "09:00:00");
    let timeline = story.timeline();
    assert_eq!(timeline.sessions["jdoe"].len(), 1);
    assert_eq!(timeline.sessions["jdoe"][0].id, connect);
    assert_eq!(timeline.sessions["jdoe"][0].last_seen_at, at("10:01:00"));
}

#[test]
fn a_list_that_still_shows_a_session_reported_as_ended_is_stale() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.disconnects("jdoe", "", "10:30:00");
    story.lists(
        vec![SessionFacts {
            connected_at: Some(at("10:00:00")),
            ..facts("jdoe", "10.8.0.2")
        }],
        "10:30:03",
    );
    assert_eq!(story.end(session), reported("10:30:00"));
    assert_eq!(story.timeline().sessions["jdoe"].len(), 1);
}

#[test]
fn proof_of_life_refutes_an_end_that_was_only_inferred() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    let entry = SessionFacts {
        session_id: Some(session),
        ..facts("jdoe", "10.8.0.2")
    };
    story.lists(Vec::new(), "10:01:00");
    story.lists(vec![entry], "10:05:00");
    assert_eq!(story.end(session), None);
    assert_eq!(story.session(session).last_seen_at, at("10:05:00"));
}

#[test]
fn a_list_from_the_time_of_the_handshake_is_corrected_by_the_next_one() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.lists(Vec::new(), "10:00:10");
    story.lists(vec![facts("jdoe", "10.8.0.2")], "10:00:40");
    assert_eq!(
        story.end(session).map(|end| end.ended_by),
        Some(EndedBy::Reconciled),
        "nothing says that it is the same"
    );
    let entry = SessionFacts {
        connected_at: Some(at("10:00:00")),
        ..facts("jdoe", "10.8.0.2")
    };
    let mut known = Story::default();
    let session = known.connects("jdoe", "10.8.0.2", "10:00:00");
    known.lists(Vec::new(), "10:00:10");
    known.lists(vec![entry], "10:00:40");
    assert_eq!(known.end(session), None);
    assert_eq!(known.timeline().sessions["jdoe"].len(), 1);
}

#[test]
fn proof_that_keeps_coming_refutes_a_takeover_in_the_end() {
    let mut story = Story::with_duplicate_cn();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.connects("bob", "10.8.0.2", "11:00:00");
    let update = |story: &mut Story, clock: &str| {
        let facts = SessionFacts {
            session_id: Some(session),
            ..facts("jdoe", "")
        };
        story.tell(EventType::SessionUpdated, clock, vec![facts]);
    };
    update(&mut story, "11:00:40");
    assert_eq!(
        story.end(session),
        inferred(EndedBy::Superseded, "11:00:00", "11:00:00")
    );
    update(&mut story, "11:01:20");
    assert_eq!(story.end(session), None);
}

#[test]
fn counters_never_go_down_and_a_reset_opens_a_new_segment() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.counts("jdoe", 100, 1000, "10:01:00");
    story.counts("jdoe", 20, 1500, "10:02:00");
    story.counts("jdoe", 50, 1600, "10:03:00");
    let session = story.session(session);
    assert_eq!(
        (session.bytes_in.total(), session.bytes_out.total()),
        (Some(150), Some(1600))
    );
    assert_eq!(session.bytes_source, Some(BytesSource::LastPoll));
}

#[test]
fn exact_counters_that_come_after_the_end_are_taken_and_the_end_stays() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.counts("jdoe", 100, 1000, "10:59:00");
    let mut end = |clock: &str, bytes_in, source| {
        let end = SessionFacts {
            session_id: Some(session),
            bytes_in: Some(bytes_in),
            bytes_out: Some(2000),
            bytes_source: Some(source),
            ..facts("jdoe", "")
        };
        story.tell(EventType::SessionDisconnected, clock, vec![end]);
    };
    end("11:00:00", 110, BytesSource::LastPoll);
    end("11:00:01", 120, BytesSource::Final);
    // What is exact stays.
    end("11:00:02", 130, BytesSource::LastPoll);
    end("11:00:03", 140, BytesSource::Final);
    let known = story.session(session);
    assert_eq!(
        (known.bytes_in.total(), known.bytes_source),
        (Some(120), Some(BytesSource::Final))
    );
    assert_eq!(story.end(session), reported("11:00:00"));
}

#[test]
fn bytes_that_nobody_counted_stay_unknown() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.disconnects("jdoe", "", "11:00:00");
    let session = story.session(session);
    assert_eq!(
        (
            session.bytes_in.total(),
            session.bytes_out.total(),
            session.bytes_source
        ),
        (None, None, None)
    );
}

#[test]
fn events_of_the_same_second_take_effect_in_the_order_of_their_numbers() {
    let mut story = Story::default();
    let first = story.connects("jdoe", "10.8.0.2", "10:00:00");
    story.disconnects("jdoe", "", "10:30:00");
    let second = story.connects("jdoe", "10.8.0.2", "10:30:00");
    for (event, seq) in story.events.iter_mut().zip(1..) {
        event.seq = Some(seq);
    }
    assert_eq!(story.end(first), reported("10:30:00"));
    assert_eq!(story.end(second), None);
}

#[test]
fn the_real_address_is_the_current_one() {
    let mut story = Story::default();
    let session = story.connects("jdoe", "10.8.0.2", "10:00:00");
    let moved = SessionFacts {
        real_ip: Some("198.51.100.7".parse().unwrap()),
        real_port: Some(4000),
        ..facts("jdoe", "")
    };
    story.tell(EventType::SessionUpdated, "10:10:00", vec![moved]);
    let session = story.session(session);
    assert_eq!(
        (session.real_ip, session.real_port),
        (Some("198.51.100.7".parse().unwrap()), Some(4000))
    );
    assert_eq!(session.last_seen_at - session.connected_at, MINUTE * 10);
}
