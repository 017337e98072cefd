//! The same set of events gives the same sessions, in whatever order and however often they arrive.

use domain::event::Event;
use domain::history::{Shape, draw};
use domain::session::EndedBy;
use domain::timeline::{ServerTimeline, Timeline, timeline};

fn sessions(events: &[Event], duplicate_cn: bool) -> Timeline {
    timeline(
        ServerTimeline {
            server_name: "vpn-1",
            duplicate_cn,
        },
        events,
    )
}

/// Calls `visit` with every order of `events` (Heap's algorithm).
fn permute(events: &mut [Event], size: usize, visit: &mut impl FnMut(&[Event])) {
    if size <= 1 {
        return visit(events);
    }
    for index in 0..size {
        permute(events, size - 1, visit);
        events.swap(if size.is_multiple_of(2) { index } else { 0 }, size - 1);
    }
}

#[test]
fn every_permutation_and_duplication_of_up_to_six_events_gives_one_answer() {
    for seed in 0..60 {
        let mut events = draw(Shape::new(seed, 1 + usize::try_from(seed % 6).unwrap()));
        let duplicate_cn = seed % 2 == 0;
        let expected = sessions(&events, duplicate_cn);
        let size = events.len();
        permute(&mut events, size, &mut |order| {
            assert_eq!(sessions(order, duplicate_cn), expected, "seed {seed}");
            let mut doubled = order.to_vec();
            doubled.extend_from_slice(order);
            assert_eq!(sessions(&doubled, duplicate_cn), expected, "seed {seed}, doubled");
        });
    }
}

#[test]
fn a_hundred_thousand_random_histories_converge_and_stay_sane() {
    for seed in 0..100_000 {
        let mut events = draw(Shape::new(seed, 7 + usize::try_from(seed % 18).unwrap()));
        let duplicate_cn = seed % 2 == 0;
        let expected = sessions(&events, duplicate_cn);
        check(&expected, &events, seed);
        events.rotate_left(usize::try_from(seed % 7).unwrap());
        events.extend_from_within(..3);
        assert_eq!(sessions(&events, duplicate_cn), expected, "seed {seed}");
    }
}

/// What holds for every history.
fn check(timeline: &Timeline, events: &[Event], seed: u64) {
    let connects = events
        .iter()
        .filter(|event| event.event_type == domain::event::EventType::SessionConnected)
        .count();
    let opened: Vec<_> = timeline.sessions.values().flatten().collect();
    let by_connect = opened.iter().filter(|session| !session.opened_by_snapshot).count();
    assert_eq!(
        by_connect, connects,
        "seed {seed}: one session for each connect, no more and no fewer"
    );
    for session in opened {
        assert!(session.last_seen_at >= session.connected_at, "seed {seed}");
        if let Some(end) = session.end {
            assert!(
                end.disconnected_at >= session.connected_at,
                "seed {seed}: no negative duration"
            );
            assert!(end.not_after >= end.disconnected_at, "seed {seed}");
            assert_ne!(end.ended_by, EndedBy::Timeout, "seed {seed}: a lack of proof is no end");
        }
    }
}
