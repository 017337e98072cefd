use bus::proto::{AgentRequest, Event, EventType, SessionFacts, TelemetryBatch};
use serde_json::{Value, json};
use test_support::{Stack, eventually, nats_request};
use uuid::Uuid;

use super::bus;

/// 13 February 2026, 12:00 UTC.
const NOON_US: i64 = 1_770_984_000_000_000;

/// A connect event on the bus; `number` makes it another one.
fn connect(number: u128, common_name: &str) -> Event {
    Event {
        event_id: Uuid::from_u128(number).as_bytes().to_vec(),
        r#type: EventType::SessionConnected.into(),
        time_us: NOON_US + i64::try_from(number).expect("small"),
        seq: u64::try_from(number).ok(),
        sessions: vec![SessionFacts {
            common_name: common_name.to_owned(),
            ..SessionFacts::default()
        }],
    }
}

/// A request that passed ingest, of the server `vpn-1`.
async fn request(stack: &Stack, events: Vec<Event>) -> AgentRequest {
    stack.agent("vpn-1").key().await;
    let server_key = stack
        .database()
        .count("SELECT id FROM vpn_server WHERE name = 'vpn-1'")
        .await;
    AgentRequest {
        request_id: Uuid::from_u128(1).as_bytes().to_vec(),
        server_key: i32::try_from(server_key).expect("small"),
        server_name: "vpn-1".to_owned(),
        boot_id: Some(Uuid::from_u128(2).as_bytes().to_vec()),
        received_at_us: NOON_US,
        events,
        ..AgentRequest::default()
    }
}

async fn publish(stack: &Stack, requests: Vec<AgentRequest>) {
    let batch = TelemetryBatch { requests };
    bus(stack)
        .await
        .publish_telemetry(&batch)
        .await
        .expect("NATS stores it");
}

/// Waits for this many dead letters and gives them, as the portal shows them.
async fn rejected(stack: &Stack, count: usize) -> Vec<Value> {
    eventually("the dead letters", async || {
        let list = stack.api().get("/api/events/rejected").await;
        let events = list["events"].as_array()?.clone();
        (events.len() >= count).then_some(events)
    })
    .await
}

async fn stored_names(stack: &Stack) -> Vec<String> {
    let names = "SELECT u.common_name FROM vpn_event e JOIN vpn_user u ON u.id = e.vpn_user_id ORDER BY 1";
    stack.database().sql(names).await.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_event_that_postgresql_refuses_ends_in_dead_letters_alone() {
    let stack = Stack::start().await;
    let mut events: Vec<Event> = (1..=9)
        .map(|number| connect(number, &format!("good-{number}")))
        .collect();
    events[4] = connect(5, "a\0NUL");
    let mut neighbour = request(&stack, vec![connect(20, "neighbour")]).await;
    neighbour.request_id = Uuid::from_u128(7).as_bytes().to_vec();
    publish(&stack, vec![request(&stack, events).await, neighbour]).await;

    let letters = rejected(&stack, 1).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["event_id"], Uuid::from_u128(5).to_string());
    assert_eq!(letters[0]["server_instance"], "vpn-1");
    assert_eq!(letters[0]["error"], "refused_by_database");
    assert!(
        letters[0]["detail"]
            .as_str()
            .is_some_and(|reason| reason.contains("0x00")),
        "{letters:?}"
    );
    let good: Vec<String> = (1..=9)
        .filter(|number| *number != 5)
        .map(|number| format!("good-{number}"))
        .collect();
    assert_eq!(
        stored_names(&stack).await,
        [good, vec!["neighbour".to_owned()]].concat()
    );
    stack.agent("vpn-1").connects("later").await;
}

#[tokio::test]
async fn a_poisoned_event_has_arrived_so_its_number_is_no_gap() {
    let stack = Stack::start().await;
    let mut events: Vec<Event> = (1..=5).map(|number| connect(number, "good")).collect();
    events[2] = connect(3, "a\0NUL");
    publish(&stack, vec![request(&stack, events).await]).await;
    rejected(&stack, 1).await;
    let alone = connect(6, "another\0NUL");
    publish(&stack, vec![request(&stack, vec![alone]).await]).await;
    publish(&stack, vec![request(&stack, vec![connect(7, "last")]).await]).await;
    rejected(&stack, 2).await;
    eventually("the last event", async || {
        stored_names(&stack).await.contains(&"last".to_owned()).then_some(())
    })
    .await;
    assert_eq!(
        stack.database().rows("SELECT from_seq, to_seq FROM event_gap").await,
        [] as [Value; 0]
    );
}

#[tokio::test]
async fn every_kind_of_poison_is_isolated_and_none_stops_the_stream() {
    let stack = Stack::start().await;
    let before_the_calendar = Event {
        time_us: -300_000_000_000_000_000,
        ..connect(2, "time")
    };
    let without_session = Event {
        sessions: Vec::new(),
        ..connect(3, "")
    };
    // Too long for an index, and nothing that compresses.
    let parts = (0..1_000_u16).map(|part| Uuid::new_v5(&Uuid::NAMESPACE_OID, &part.to_be_bytes()).to_string());
    let endless = connect(4, &parts.collect::<String>());
    let mut poisons = vec![before_the_calendar, without_session, endless];
    let texts: [fn(&mut SessionFacts, String); 4] = [
        |facts, text| facts.username = Some(text),
        |facts, text| facts.cipher = Some(text),
        |facts, text| facts.client_version = Some(text),
        |facts, text| facts.disconnect_reason = Some(text),
    ];
    for (number, set) in (10..).zip(texts) {
        let mut event = connect(number, "text");
        set(&mut event.sessions[0], "\0".to_owned());
        poisons.push(event);
    }
    let mut numbers = connect(30, "numbers");
    numbers.seq = Some(u64::MAX);
    let facts = &mut numbers.sessions[0];
    (facts.bytes_in, facts.bytes_out, facts.cid) = (Some(u64::MAX), Some(u64::MAX), Some(u64::MAX));
    facts.duration_seconds = Some(u64::MAX);
    poisons.push(numbers);
    for (number, poison) in (100..).zip(poisons) {
        let good = connect(number, &format!("beside-{number}"));
        publish(&stack, vec![request(&stack, vec![poison, good]).await]).await;
    }
    publish(&stack, vec![request(&stack, vec![connect(999, "the last")]).await]).await;
    eventually("the last event", async || {
        stored_names(&stack)
            .await
            .contains(&"the last".to_owned())
            .then_some(())
    })
    .await;
    let beside = stored_names(&stack)
        .await
        .iter()
        .filter(|name| name.starts_with("beside-"))
        .count();
    assert_eq!(beside, 8, "good events beside bad ones");
    assert!(stack.processor(0).is_running());
}

#[tokio::test]
async fn a_request_of_a_server_that_nobody_registered_does_not_stop_the_stream() {
    let stack = Stack::start().await;
    let mut nobody = request(&stack, vec![connect(1, "nobody's")]).await;
    (nobody.server_key, nobody.server_name) = (4711, "vpn-gone".to_owned());
    let good = request(&stack, vec![connect(2, "good")]).await;
    publish(&stack, vec![nobody, good]).await;
    let letters = rejected(&stack, 1).await;
    assert_eq!((&letters[0]["server_instance"], letters.len()), (&json!("vpn-gone"), 1));
    assert_eq!(stored_names(&stack).await, ["good"]);
}

#[tokio::test]
async fn messages_that_nobody_can_read_become_dead_letters_and_the_stream_goes_on() {
    let stack = Stack::start().await;
    let subject = format!("{}.telemetry.v1.events", stack.variable("BUS_NAMESPACE"));
    let answer = nats_request(stack.variable("NATS_URL"), &subject, b"\xff\xff no message of ours").await;
    assert!(answer.contains("\"seq\""), "not stored: {answer}");
    let mut invalid = request(&stack, vec![connect(1, "unreadable")]).await;
    invalid.events[0].r#type = 99;
    publish(&stack, vec![invalid]).await;
    stack.agent("vpn-1").connects("good").await;
    let letters = rejected(&stack, 2).await;
    assert_eq!(letters.len(), 2);
    for letter in &letters {
        assert_eq!(letter["error"], "undecodable_message");
        assert!(!letter["detail"].as_str().expect("a text").is_empty());
    }
    eventually("the good event", async || {
        stored_names(&stack).await.contains(&"good".to_owned()).then_some(())
    })
    .await;
}

/// What validation lets pass although one database cannot hold both: a session is one user's.
#[tokio::test]
async fn a_snapshot_that_gives_one_session_to_two_users_is_refused_alone() {
    let stack = Stack::start().await;
    let agent = stack.agent("vpn-1");
    let mine = agent.connects("rightful owner").await;
    let entry = |name: &str| json!({"common_name": name, "session_id": mine.to_string()});
    for sessions in [json!([entry("thief")]), json!([entry("thief"), entry("another thief")])] {
        let reply = agent
            .post_events(json!([agent.snapshot(sessions).json(), agent.connects("good").json()]))
            .await;
        assert!(reply.status.is_success(), "{}", reply.body);
    }
    let other = stack.agent("vpn-2");
    let reply = other
        .post_events(json!([other.snapshot(json!([entry("thief")])).json()]))
        .await;
    assert_eq!(
        reply.status, 422,
        "the processor has refused it in time: {}",
        reply.body
    );
    let letters = rejected(&stack, 3).await;
    assert!(
        letters.iter().all(|letter| letter["error"] == "refused_by_database"),
        "{letters:?}"
    );
    let owners = "SELECT u.common_name FROM vpn_session s JOIN vpn_user u ON u.id = s.vpn_user_id WHERE s.id = ";
    let owner = stack.database().sql(&format!("{owners}'{mine}'")).await;
    assert_eq!(owner, "rightful owner");
    agent.connects("later").await;
}

/// A dead letter is small whatever the event was, or it could not be sent.
#[tokio::test]
async fn a_poisoned_snapshot_of_thousands_of_sessions_is_isolated_as_well() {
    let stack = Stack::start().await;
    let mut snapshot = connect(1, "");
    snapshot.r#type = EventType::SessionSnapshot.into();
    snapshot.sessions = (0..5_000)
        .map(|number| SessionFacts {
            common_name: format!("user-{number}"),
            ..SessionFacts::default()
        })
        .collect();
    snapshot.sessions[4_999].username = Some("\0".to_owned());
    publish(&stack, vec![request(&stack, vec![snapshot, connect(2, "good")]).await]).await;
    let letters = rejected(&stack, 1).await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0]["event_json"].as_str().expect("a text").len() <= 16 << 10);
    assert_eq!(stored_names(&stack).await, ["good"]);
}
