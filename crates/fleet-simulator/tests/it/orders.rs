//! What the portal orders of a simulated VPN server, in simulated time.

use std::collections::HashMap;

use agent_api::{Event, EventType, TERMINATED};
use fleet_simulator::plan::{Deliveries, FleetSettings, Parcel};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const START: OffsetDateTime = datetime!(2026-03-02 06:00 UTC);
const NOON: OffsetDateTime = datetime!(2026-03-02 12:00 UTC);

/// A VPN server that has lived until noon.
fn at_noon(returns: f64) -> Deliveries {
    let servers = vec!["vpn-1".to_owned()];
    let settings = FleetSettings {
        returns,
        ..FleetSettings::new(7, servers, 120, START)
    };
    let mut server = settings.deliveries(0);
    sent_until(&mut server, NOON);
    server
}

fn sent_until(server: &mut Deliveries, now: OffsetDateTime) -> Vec<Event> {
    let mut sent = Vec::new();
    while let Some(delivery) = server.take_due(now) {
        assert!(delivery.at <= now);
        if let Parcel::Events { events, .. } = delivery.parcel {
            sent.extend(events);
        }
    }
    assert!(server.due() > now);
    sent
}

/// Somebody who is connected at noon, with the session.
fn somebody(server: &mut Deliveries) -> (String, Uuid) {
    let list = sent_until(server, NOON + Duration::minutes(6)).into_iter().rev();
    let mut listed = list.filter_map(|event| event.sessions).flatten();
    let now = NOON + Duration::minutes(6);
    let still = listed.find_map(|session| {
        let current = server.session_of(&session.common_name, now)?;
        Some((session.common_name, current))
    });
    still.unwrap()
}

fn connects(events: &[Event], common_name: &str) -> usize {
    let is_connect = |event: &&Event| {
        let of = event.session.as_ref().map(|session| session.common_name.as_str());
        event.event_type == EventType::SessionConnected && of == Some(common_name)
    };
    events.iter().filter(is_connect).count()
}

#[test]
fn a_terminated_session_ends_at_once_and_says_why() {
    let mut server = at_noon(0.0);
    let (common_name, session) = somebody(&mut server);
    let now = NOON + Duration::minutes(7);
    assert!(server.terminate(session, now));
    assert_eq!(server.session_of(&common_name, now), None);
    let sent = sent_until(&mut server, now);
    let ended = sent
        .iter()
        .filter(|event| event.event_type == EventType::SessionDisconnected)
        .find_map(|event| event.session.as_ref().filter(|facts| facts.session_id == Some(session)));
    let facts = ended.unwrap();
    assert_eq!(facts.disconnect_reason.as_deref(), Some(TERMINATED));
    assert!(!server.terminate(session, now), "there is nothing to end any more");
}

#[test]
fn a_client_that_comes_back_does_so_within_seconds() {
    let mut server = at_noon(1.0);
    let (common_name, session) = somebody(&mut server);
    let now = NOON + Duration::minutes(7);
    assert!(server.terminate(session, now));
    let new = server.session_of(&common_name, now + Duration::seconds(15));
    assert!(new.is_some_and(|new| new != session));
}

#[test]
fn a_denied_client_tries_until_its_time_is_over() {
    let mut server = at_noon(1.0);
    let (common_name, session) = somebody(&mut server);
    let now = NOON + Duration::minutes(7);
    let until = now + Duration::hours(5);
    server.deny(HashMap::from([(common_name.clone(), until)]), now);
    assert_eq!(
        server.session_of(&common_name, now),
        Some(session),
        "who is there stays"
    );
    assert!(server.terminate(session, now));
    assert_eq!(connects(&sent_until(&mut server, until), &common_name), 0);
    assert!(server.session_of(&common_name, until + Duration::seconds(90)).is_some());
}

#[test]
fn a_denial_that_is_revoked_lets_in_again() {
    let mut server = at_noon(1.0);
    let (common_name, session) = somebody(&mut server);
    let now = NOON + Duration::minutes(7);
    server.deny(HashMap::from([(common_name.clone(), now + Duration::days(1))]), now);
    assert!(server.terminate(session, now));
    let revoked = now + Duration::minutes(10);
    assert_eq!(server.session_of(&common_name, revoked), None);
    server.deny(HashMap::new(), revoked);
    assert!(
        server
            .session_of(&common_name, revoked + Duration::seconds(90))
            .is_some()
    );
}
