//! The demo fleet against a small server that remembers what it was sent.

use std::collections::HashSet;
use std::time::Duration;

use agent_api::{Event, EventType};
use fleet_simulator::agent::{Agent, AgentError};
use fleet_simulator::clock;
use fleet_simulator::demo::run_demo;
use fleet_simulator::keys::ServerKey;
use fleet_simulator::plan::{FleetSettings, PlannedFact};
use tokio::sync::watch;
use uuid::Uuid;

use crate::server::Server;

fn keys() -> Vec<ServerKey> {
    ["vpn-1", "vpn-2"]
        .map(|server| ServerKey {
            server: server.to_owned(),
            key: "ovt_a_b".to_owned(),
        })
        .into()
}

fn fleet(start: time::OffsetDateTime) -> FleetSettings {
    let servers = keys().into_iter().map(|key| key.server).collect();
    let mut settings = FleetSettings::new(3, servers, 60, start);
    settings.faults.lost = 0.0;
    settings.faults.late = 0.0;
    settings.heartbeat_seconds = 1.0;
    settings
}

#[tokio::test]
async fn the_fleet_tells_its_history_then_lives_and_stops_when_asked() {
    let server = Server::start_answering(|number| if number.is_multiple_of(4) { 429 } else { 200 }).await;
    let (stop, stopping) = watch::channel(false);
    let settings = fleet(clock::now() - time::Duration::hours(3));
    let url = server.url.clone();
    let running = tokio::spawn({
        let settings = settings.clone();
        async move { run_demo(&url, keys(), &settings, stopping).await }
    });
    let is_heartbeat_of = |name: &str| {
        let name = name.to_owned();
        move |request: &crate::server::Request| {
            request.head.contains("/heartbeat") && request.body["server_id"] == name.as_str()
        }
    };
    let alive = async {
        while !["vpn-1", "vpn-2"]
            .iter()
            .all(|name| server.requests().iter().any(is_heartbeat_of(name)))
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), alive).await.unwrap();
    stop.send_replace(true);
    running.await.unwrap().unwrap();

    let sent: HashSet<String> = server
        .events()
        .iter()
        .map(|event| event["event_id"].as_str().unwrap().to_owned())
        .collect();
    let inventory_of = |name: &str| {
        let requests = server.requests();
        let told = requests
            .iter()
            .find(|request| request.head.contains("/inventory") && request.body["server_id"] == name);
        told.map(|request| request.body.clone()).unwrap()
    };
    for (index, name) in ["vpn-1", "vpn-2"].into_iter().enumerate() {
        let planned = serde_json::to_value(settings.inventory(index)).unwrap();
        assert_eq!(inventory_of(name)["certificates"], planned["certificates"]);
    }

    // What was still being collected when the fleet came alive may be missing.
    let history = |planned: &fleet_simulator::plan::Planned| planned.at < clock::now() - time::Duration::minutes(2);
    for index in 0..2 {
        for planned in settings.server_plan(index).take_while(history) {
            if let PlannedFact::Event(event) = planned.fact {
                assert!(sent.contains(&event.event_id.to_string()), "{event:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_is_refused_for_good_is_not_repeated() {
    let server = Server::start_answering(|_| 401).await;
    let mut agent = Agent::new(&server.url, keys().remove(0), 1).unwrap();
    let event = Event::about_server(Uuid::from_u128(1), EventType::ServerStarted, clock::now());
    let refused = agent.send_events(Uuid::from_u128(2), &[event]).await;
    assert!(matches!(refused, Err(AgentError::Refused { status, .. }) if status == 401));
}
