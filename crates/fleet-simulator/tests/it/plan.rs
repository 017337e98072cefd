//! The simulated fleet: repeatable, numbered without gaps, damaged only where it is meant to be.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use agent_api::{Event, EventType};
use fleet_simulator::plan::{Delivery, Faults, FleetSettings, Parcel, Planned, PlannedFact};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

const START: OffsetDateTime = datetime!(2026-03-02 06:00 UTC);

fn fleet(seed: u64) -> FleetSettings {
    let servers = (1..=4).map(|number| format!("vpn-{number}")).collect();
    let mut settings = FleetSettings::new(seed, servers, 120, START);
    settings.restart_seconds = 6.0 * 3600.0;
    settings
}

fn day(settings: &FleetSettings, index: usize) -> Vec<Planned> {
    settings
        .server_plan(index)
        .take_while(|planned| planned.at < START + Duration::days(1))
        .collect()
}

fn events(planned: &[Planned]) -> Vec<(Uuid, &Event)> {
    let events = planned.iter().filter_map(|planned| match &planned.fact {
        PlannedFact::Event(event) => Some((planned.boot_id, event)),
        PlannedFact::Heartbeat(_) => None,
    });
    events.collect()
}

fn deliveries(settings: &FleetSettings, index: usize) -> Vec<Delivery> {
    settings
        .deliveries(index)
        .take_while(|delivery| delivery.at < START + Duration::days(1))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_day_and_another_gives_another() {
    for index in 0..4 {
        assert_eq!(day(&fleet(7), index), day(&fleet(7), index));
        assert_eq!(deliveries(&fleet(7), index), deliveries(&fleet(7), index));
        assert_ne!(day(&fleet(7), index), day(&fleet(8), index));
    }
}

#[test]
fn ids_are_unique_over_servers_seeds_and_starts() {
    let mut ids = HashSet::new();
    let mut later = fleet(7);
    later.start += Duration::hours(1);
    let mut count = 0;
    for settings in [fleet(7), fleet(8), later] {
        for index in 0..4 {
            let day = day(&settings, index);
            count += events(&day).len();
            ids.extend(events(&day).into_iter().map(|(_, event)| event.event_id));
        }
    }
    assert_eq!(ids.len(), count);
}

#[test]
fn numbers_are_contiguous_within_each_boot_and_time_never_goes_back() {
    for index in 0..4 {
        let day = day(&fleet(7), index);
        let mut boots: BTreeMap<Uuid, Vec<u64>> = BTreeMap::new();
        for (boot_id, event) in events(&day) {
            boots.entry(boot_id).or_default().push(event.seq.unwrap());
        }
        assert!(boots.len() > 1, "a day should see a restart");
        for numbers in boots.values() {
            assert_eq!(*numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
        }
        assert!(day.is_sorted_by_key(|planned| planned.at));
    }
}

#[test]
fn numbers_are_missing_exactly_where_a_loss_was_planned() {
    let mut settings = fleet(7);
    settings.faults = Faults {
        lost: 0.05,
        doubled: 0.05,
        late: 0.05,
        shuffled: 0.2,
    };
    // The plan ends, so that everything late arrives.
    let planned = day(&settings, 0);
    let (mut sent, mut lost, mut doubled) = (BTreeSet::new(), BTreeSet::new(), 0);
    let deliveries: Vec<Delivery> = settings
        .deliveries(0)
        .take_while(|delivery| delivery.at < START + Duration::hours(30))
        .collect();
    assert!(deliveries.is_sorted_by_key(|delivery| delivery.at));
    for delivery in deliveries {
        match delivery.parcel {
            Parcel::Events { boot_id, events } => {
                doubled += events.iter().filter(|event| !sent.insert((boot_id, event.seq))).count();
            }
            Parcel::Lost { boot_id, events } => lost.extend(events.iter().map(|event| (boot_id, event.seq))),
            Parcel::Heartbeat(_) => {}
        }
    }
    assert!(sent.is_disjoint(&lost) && !lost.is_empty() && doubled > 0);
    for (boot_id, event) in events(&planned) {
        assert!(sent.contains(&(boot_id, event.seq)) || lost.contains(&(boot_id, event.seq)));
    }
}

#[test]
fn without_faults_everything_arrives_once_and_in_order() {
    let mut settings = fleet(7);
    settings.faults = Faults::NONE;
    let mut last = (Uuid::nil(), 0);
    for delivery in deliveries(&settings, 1) {
        let Parcel::Events { boot_id, events } = delivery.parcel else {
            continue;
        };
        for event in events {
            let number = event.seq.unwrap();
            assert!(number == 1 && boot_id != last.0 || (boot_id, number) == (last.0, last.1 + 1));
            assert!(delivery.at - event.event_time_vpn <= Duration::seconds(5) && event.event_time_vpn <= delivery.at);
            last = (boot_id, number);
        }
    }
    assert!(last.1 > 0);
}

#[test]
fn counters_never_go_down_and_addresses_have_one_holder_at_a_time() {
    let day = day(&fleet(7), 0);
    let mut counters: BTreeMap<Uuid, (u64, u64)> = BTreeMap::new();
    for (_, event) in events(&day) {
        for facts in event.session.iter().chain(event.sessions.iter().flatten()) {
            let (Some(id), Some(bytes_in), Some(bytes_out)) = (facts.session_id, facts.bytes_in, facts.bytes_out)
            else {
                continue;
            };
            let before = counters.insert(id, (bytes_in, bytes_out)).unwrap_or_default();
            assert!(before.0 <= bytes_in && before.1 <= bytes_out);
        }
        if let Some(sessions) = &event.sessions {
            let addresses: HashSet<_> = sessions.iter().map(|facts| facts.virtual_ip).collect();
            assert_eq!(addresses.len(), sessions.len());
        }
    }
    assert!(counters.len() > 20);
}

#[test]
fn a_working_day_is_busy_in_the_morning_and_quiet_at_night() {
    let settings = fleet(7);
    let connects_between = |from: u8, to: u8| -> usize {
        let within = |planned: &&Planned| (from..to).contains(&planned.at.hour());
        let connects = (0..4).map(|index| {
            let day: Vec<Planned> = day(&settings, index).iter().filter(within).cloned().collect();
            events(&day)
                .into_iter()
                .filter(|(_, event)| event.event_type == EventType::SessionConnected)
                .count()
        });
        connects.sum()
    };
    let (morning, night) = (connects_between(7, 10), connects_between(1, 4));
    assert!(morning > 3 * night.max(1), "{morning} in the morning, {night} at night");
}

#[test]
fn the_last_agent_is_minimal_and_says_only_who_came_and_went() {
    let day = day(&fleet(7), 3);
    let events = events(&day);
    assert!(
        !events
            .iter()
            .any(|(_, event)| { matches!(event.event_type, EventType::SessionUpdated | EventType::SessionSnapshot) })
    );
    let sessions = || events.iter().filter_map(|(_, event)| event.session.as_ref());
    assert!(sessions().count() > 20 && sessions().all(|facts| facts.session_id.is_none() && facts.cid.is_none()));
}

#[test]
fn a_faster_fleet_lives_a_day_in_an_hour() {
    let mut settings = fleet(7);
    settings.speed = 24.0;
    let hour: Vec<Planned> = settings
        .server_plan(0)
        .take_while(|planned| planned.at < START + Duration::hours(1))
        .collect();
    let connects = events(&hour)
        .into_iter()
        .filter(|(_, event)| event.event_type == EventType::SessionConnected)
        .count();
    assert!(connects > 60, "{connects} connects");
}
