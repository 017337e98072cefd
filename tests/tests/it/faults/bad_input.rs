//! Every limit and every kind of bad input through the public port: the named error, and nothing half-stored.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use test_support::{Agent, Reply, Stack, eventually};

use super::{assert_problem, assert_try_later};

const EVENTS: &str = "/api/v1/events";
const MAX_EVENTS: usize = 30;

async fn stack() -> Stack {
    Stack::builder()
        .nginx()
        .with("ingest", "INGEST_MAX_EVENTS", &MAX_EVENTS.to_string())
        .with("ingest", "INGEST_EVENTS_PER_SECOND", "1")
        .with("ingest", "INGEST_EVENTS_BURST", "100")
        .start()
        .await
}

fn body(events: &[Value]) -> Value {
    json!({"server_id": "vpn-1", "sent_at": "2026-02-13T12:00:00Z", "events": events})
}

/// A request with the agent's key and any body.
async fn post(agent: &Agent, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = agent.request(Method::POST, EVENTS).await;
    request.header("content-type", "application/json").body(body)
}

/// 32 kB that unpack to 1 GB of spaces: a zstd frame of blocks that each repeat one byte 128 Ki times.
fn zstd_bomb() -> Vec<u8> {
    const BLOCK: u32 = 128 << 10;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for block in 0..8_192 {
        let (last, repeats_a_byte) = (u32::from(block == 8_191), 1 << 1);
        let header = (last | repeats_a_byte | (BLOCK << 3)).to_le_bytes();
        frame.extend_from_slice(&header[..3]);
        frame.push(b' ');
    }
    frame
}

#[tokio::test]
async fn a_bad_request_gets_its_named_error_and_stores_nothing() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    stack.agent("vpn-2").key().await;
    let one = body(&[agent.connects("jdoe").json()]).to_string();
    let too_many = body(&vec![agent.connects("jdoe").json(); MAX_EVENTS + 1]).to_string();
    let other_server = one.replace("vpn-1", "vpn-2");
    let encoded = async |encoding: &str, body: Vec<u8>| post(&agent, body).await.header("content-encoding", encoding);
    let keyless = |key: &str| anonymous(&stack, key).body(one.clone());
    let cases = [
        (400, "invalid_json", post(&agent, "{").await),
        (400, "invalid_json", post(&agent, vec![b'"', 0xff, b'"']).await),
        (400, "invalid_json", post(&agent, one[..one.len() - 5].to_owned()).await),
        (400, "invalid_json", post(&agent, "[".repeat(100_000)).await),
        (400, "invalid_body", post(&agent, "[]").await),
        (400, "missing_field", post(&agent, r#"{"server_id":"vpn-1"}"#).await),
        (400, "missing_field", post(&agent, r#"{"events":[]}"#).await),
        (
            400,
            "invalid_sent_at",
            post(
                &agent,
                one.replace("2026-02-13T12:00:00Z\",\"server", "today\",\"server"),
            )
            .await,
        ),
        (
            400,
            "invalid_content_encoding",
            encoded("gzip", one.clone().into_bytes()).await,
        ),
        (
            400,
            "invalid_content_encoding",
            encoded("zstd", one.clone().into_bytes()).await,
        ),
        (401, "invalid_api_key", keyless("")),
        (401, "invalid_api_key", keyless("Bearer nonsense")),
        (
            401,
            "invalid_api_key",
            keyless("Bearer ovt_abcdefghij01_0123456789abcdefghijklmnopqrstuv"),
        ),
        (
            401,
            "invalid_api_key",
            keyless(&format!("Bearer {}x", agent.key().await)),
        ),
        (403, "wrong_server_id", post(&agent, other_server).await),
        (404, "not_found", agent.request(Method::POST, "/api/v1/nothing").await),
        (413, "payload_too_large", post(&agent, " ".repeat((5 << 20) + 1)).await),
        (413, "body_too_large", post(&agent, " ".repeat(7 << 20)).await),
        (413, "payload_too_large", encoded("zstd", zstd_bomb()).await),
        (413, "too_many_events", post(&agent, too_many).await),
        (
            415,
            "unsupported_content_encoding",
            encoded("br", one.clone().into_bytes()).await,
        ),
        (
            415,
            "unsupported_media_type",
            agent.request(Method::POST, EVENTS).await.body(one.clone()),
        ),
    ];
    for (status, error, request) in cases {
        let problem = assert_problem(&Reply::to(request).await, status, error);
        assert!(!problem.to_string().contains("panicked"), "{problem}");
    }
    let wrong_method = Reply::to(agent.request(Method::GET, EVENTS).await).await;
    assert_eq!(wrong_method.status, 405, "{}", wrong_method.body);
    // In order behind all of these, so nothing of them is still on its way.
    agent.connects("the first to be stored").await;
    assert_stored(&stack, 1, 0).await;
}

fn anonymous(stack: &Stack, authorization: &str) -> RequestBuilder {
    let request = test_support::http_client().post(format!("{}{EVENTS}", stack.url()));
    let request = request.header("content-type", "application/json");
    if authorization.is_empty() {
        request
    } else {
        request.header("authorization", authorization)
    }
}

/// Waits until the events are stored, and asserts that nothing else is.
async fn assert_stored(stack: &Stack, events: i64, letters: i64) {
    let database = stack.database();
    let counts = "SELECT concat((SELECT count(*) FROM vpn_event), ' ', (SELECT count(*) FROM dead_letter))";
    let enough = eventually("events and dead letters to be stored", async || {
        let counts = database.sql(counts).await;
        let (events_now, letters_now) = counts.split_once(' ')?;
        (events_now.parse::<i64>().ok()? >= events && letters_now.parse::<i64>().ok()? >= letters)
            .then_some(counts.clone())
    });
    assert_eq!(enough.await, format!("{events} {letters}"));
}

#[tokio::test]
async fn each_bad_event_is_named_and_the_good_one_between_them_is_stored() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let bad = |field: &str, value: Value| agent.connects("bad").with(field, value).json();
    let errors = [
        (json!("no object"), "invalid_event"),
        (agent.connects("bad").without("type").json(), "missing_field"),
        (agent.connects("bad").without("common_name").json(), "missing_field"),
        (bad("event_id", json!("12")), "invalid_event_id"),
        (
            bad("event_id", json!("00000000-0000-0000-0000-000000000000")),
            "invalid_event_id",
        ),
        (bad("type", json!("SESSION_EXPLODED")), "invalid_type"),
        (bad("common_name", json!("tab\there")), "invalid_common_name"),
        (bad("common_name", json!("a\u{0}b")), "invalid_common_name"),
        (bad("event_time_vpn", json!("yesterday")), "invalid_event_time"),
        (
            bad("event_time_vpn", json!("1999-12-31T23:59:59Z")),
            "event_time_out_of_range",
        ),
        (
            bad("event_time_vpn", json!("9999-01-01T00:00:00Z")),
            "event_time_out_of_range",
        ),
        (bad("seq", json!(-1)), "invalid_seq"),
        (bad("session_id", json!(7)), "invalid_session_id"),
        (bad("real_ip", json!("203.0.113.500")), "invalid_real_ip"),
        (bad("real_port", json!(70_000)), "invalid_real_port"),
        (bad("virtual_ip", json!("10.8.0")), "invalid_virtual_ip"),
        (bad("virtual_ip6", json!("10.8.0.1")), "invalid_virtual_ip6"),
        (bad("bytes_in", json!(18_446_744_073_709_551_615_u64)), "invalid_bytes"),
        (bad("bytes_source", json!("guess")), "invalid_bytes_source"),
        (bad("duration_seconds", json!(-5)), "invalid_duration"),
        (bad("cid", json!("one")), "invalid_cid"),
        (bad("cipher", json!("x".repeat(300))), "invalid_text"),
        (
            agent
                .snapshot(json!([{"common_name": "good"}, {"common_name": ""}]))
                .json(),
            "invalid_sessions",
        ),
    ];
    let mut events: Vec<Value> = errors.iter().map(|(event, _)| event.clone()).collect();
    events.insert(10, agent.connects("good").json());
    let answer = agent.post_events(events.into()).await.expect(200).json();
    assert_eq!(
        (&answer["events_received"], &answer["events_accepted"]),
        (&json!(24), &json!(1))
    );
    let named: Vec<&str> = answer["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["error"].as_str())
        .collect();
    assert_eq!(named, errors.each_ref().map(|(_, error)| *error));
    assert_stored(&stack, 1, 23).await;

    let hopeless = agent.post_events(json!([errors[0].0, errors[5].0])).await;
    let problem = assert_problem(&hopeless, 422, "no_acceptable_event");
    assert_eq!(problem["errors"].as_array().map(Vec::len), Some(2), "{problem}");
    agent.connects("after all that").await;
    assert_stored(&stack, 2, 23).await;
}

#[tokio::test]
async fn a_server_over_its_rate_is_told_when_to_come_back_and_others_are_not() {
    let stack = stack().await;
    let (busy, quiet) = (stack.agent("vpn-1"), stack.agent("vpn-2"));
    let events = |agent: &Agent| -> Value { (0..MAX_EVENTS).map(|_| agent.connects("jdoe").json()).collect() };
    for _ in 0..3 {
        busy.post_events(events(&busy)).await.expect(200);
    }
    let refused = busy.post_events(events(&busy)).await;
    assert_problem(&refused, 429, "rate_limited");
    let seconds: u64 = refused
        .header("retry-after")
        .and_then(|value| value.parse().ok())
        .expect("seconds");
    assert!((1..=30).contains(&seconds), "{seconds}");
    quiet.post_events(events(&quiet)).await.expect(200);
    assert_stored(&stack, 120, 0).await;
}

#[tokio::test]
async fn bodies_that_take_too_much_memory_together_are_put_off() {
    let stack = Stack::builder()
        .nginx()
        .with("ingest", "INGEST_BODIES_MAX_BYTES", "1048576")
        .start()
        .await;
    let agent = stack.agent("vpn-1");
    let large = format!("{}{}", body(&[agent.connects("jdoe").json()]), " ".repeat(2 << 20));
    assert_try_later(&Reply::to(post(&agent, large).await).await, "overloaded");
    agent.connects("jdoe").await;
    assert_stored(&stack, 1, 0).await;
}

/// Values at the very edge of what is valid are valid all the way down.
#[tokio::test]
async fn what_is_just_valid_is_stored_and_refused_by_nobody() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let most = i64::MAX;
    let long = "ü".repeat(255);
    let events = json!([
        agent
            .connects(&long)
            .seq(most.unsigned_abs())
            .with("bytes_in", most)
            .with("bytes_out", most)
            .with("cid", most)
            .with("username", long.clone())
            .with("cipher", long.clone())
            .at("2000-01-01T00:00:00Z")
            .json(),
        agent
            .updates(&long)
            .with("bytes_in", 1)
            .with("bytes_out", most)
            .with("real_port", "65535")
            .json(),
        agent.updates(&long).with("bytes_in", most).with("bytes_out", 0).json(),
        agent
            .disconnects(&long)
            .with("duration_seconds", 3_155_760_000_u64)
            .with("disconnect_reason", "r".repeat(1_000))
            .with("client", json!({"platform": long, "version": long, "gui": long}))
            .json(),
        agent
            .connects("\u{202e}\u{fffe} \\ ' \" ; DROP TABLE vpn_user; --")
            .virtual_ip("::ffff:10.8.0.9")
            .seq(0)
            .json(),
        agent.snapshot(json!([])).seq(0).json(),
        agent
            .snapshot(json!([{"common_name": "twice"}, {"common_name": "twice"}]))
            .json(),
        agent
            .connects("far from here")
            .at("2026-02-13T23:59:59.999999999-12:00")
            .json(),
    ]);
    agent.boots(test_support::new_uuid());
    let first = agent.post_events(events.clone()).await;
    let answer = first.expect(200).json();
    assert_eq!(answer["events_accepted"], 8, "{answer}");
    let again = agent.post_events(events).await.expect(200).json();
    assert_eq!(
        (&again["duplicates"], &again["sessions_created"]),
        (&json!(8), &json!(0))
    );
    let rebuilt = stack.run("session-processor", &["rebuild"]).await;
    assert!(rebuilt.contains("0 sessions differ"), "{rebuilt}");
}
