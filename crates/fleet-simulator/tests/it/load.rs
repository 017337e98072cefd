//! The load generator against a small server that remembers what it was sent.

use std::collections::HashSet;

use fleet_simulator::keys::ServerKey;
use fleet_simulator::load::{Compression, LoadSettings, Mix, Numbering, event_id, run_load};
use tokio::sync::watch;

use crate::server::Server;

fn settings(server: &Server) -> LoadSettings {
    LoadSettings {
        base_url: server.url.clone(),
        keys: vec![ServerKey {
            server: "vpn-1".into(),
            key: "ovt_a_b".into(),
        }],
        rate: None,
        batch_size: 30,
        connections: 3,
        seconds: None,
        events: Some(1000),
        respond_async: false,
        compression: None,
        mix: Mix {
            connects: 30,
            updates: 40,
            disconnects: 30,
        },
        numbering: Numbering::Auto,
        users: 90,
        hold: 0,
        seed: 5,
        retry: false,
    }
}

fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

#[tokio::test]
async fn exactly_the_events_asked_for_arrive_each_with_its_own_id() {
    let server = Server::start().await;
    let report = run_load(settings(&server), never()).await.unwrap();
    assert_eq!(
        (report.events_sent, report.events_accepted, report.requests),
        (1000, 1000, 34)
    );
    assert_eq!(report.statuses.get(&200), Some(&34));
    let events = server.events();
    let ids: HashSet<&str> = events.iter().map(|event| event["event_id"].as_str().unwrap()).collect();
    assert_eq!((events.len(), ids.len()), (1000, 1000));
    assert!(ids.contains(event_id(5, 0, 0).to_string().as_str()));
    assert!(server.requests().iter().all(|request| {
        request.head.contains("authorization: Bearer ovt_a_b")
            && request.body["server_id"] == "vpn-1"
            && request.body["boot_id"].is_null()
    }));
}

#[tokio::test]
async fn refused_requests_are_sent_again_until_each_event_is_accepted_once() {
    let server = Server::start_answering(|number| if number.is_multiple_of(3) { 503 } else { 200 }).await;
    let report = run_load(
        LoadSettings {
            retry: true,
            ..settings(&server)
        },
        never(),
    )
    .await
    .unwrap();
    assert_eq!(report.events_accepted, 1000);
    assert!(report.statuses[&503] > 0);
    let ids: HashSet<String> = server
        .events()
        .iter()
        .map(|event| event["event_id"].to_string())
        .collect();
    assert_eq!((ids.len(), server.events().len()), (1000, 1000));
}

#[tokio::test]
async fn a_session_is_opened_before_it_is_counted_or_closed_and_numbers_have_no_gaps() {
    let server = Server::start().await;
    run_load(
        LoadSettings {
            connections: 1,
            ..settings(&server)
        },
        never(),
    )
    .await
    .unwrap();
    let events = server.events();
    let numbers: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=1000).collect::<Vec<_>>());
    let mut open = HashSet::new();
    let mut kinds = HashSet::new();
    for event in &events {
        kinds.insert(event["type"].as_str().unwrap());
        match event["type"].as_str().unwrap() {
            "SESSION_CONNECTED" => assert!(open.insert(event["event_id"].clone())),
            "SESSION_UPDATED" => assert!(open.contains(&event["session_id"])),
            _ => assert!(open.remove(&event["session_id"])),
        }
    }
    assert_eq!(kinds.len(), 3);
}

#[tokio::test]
async fn bodies_may_be_compressed_and_answers_deferred() {
    for compression in [Compression::Zstd, Compression::Gzip] {
        let server = Server::start().await;
        let settings = LoadSettings {
            compression: Some(compression),
            respond_async: true,
            ..settings(&server)
        };
        assert_eq!(run_load(settings, never()).await.unwrap().events_accepted, 1000);
        assert!(
            server
                .requests()
                .iter()
                .all(|request| request.head.contains("prefer: respond-async"))
        );
    }
}

#[tokio::test]
async fn no_more_is_sent_than_the_rate_allows() {
    let server = Server::start().await;
    let settings = LoadSettings {
        rate: Some(2000.0),
        events: Some(600),
        batch_size: 10,
        ..settings(&server)
    };
    let report = run_load(settings, never()).await.unwrap();
    assert!(report.seconds > 0.25 && report.events_accepted == 600, "{report}");
}

#[tokio::test]
async fn sessions_to_hold_are_opened_first_and_then_the_mix_begins() {
    let server = Server::start().await;
    let settings = LoadSettings {
        hold: 60,
        rate: Some(600.0),
        events: Some(60),
        batch_size: 10,
        ..settings(&server)
    };
    let report = run_load(settings, never()).await.unwrap();
    assert_eq!(report.events_accepted, 60);
    let kinds: HashSet<String> = server.events().iter().map(|event| event["type"].to_string()).collect();
    assert_eq!(kinds, HashSet::from([r#""SESSION_CONNECTED""#.to_owned()]));
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_an_error() {
    let server = Server::start().await;
    let nobody = LoadSettings {
        base_url: "http://127.0.0.1:1".into(),
        ..settings(&server)
    };
    assert!(run_load(nobody, never()).await.is_err());
}
