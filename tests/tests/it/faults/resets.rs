use std::time::Duration;

use domain::event::Event;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;
use serde_json::json;
use test_support::{Stack, eventually, eventually_within};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::delivery::body;
use super::working_day::working_day;

/// Events of each request.
const BATCH: usize = 20;
const REQUESTS: usize = 60;

#[tokio::test]
async fn a_request_whose_client_resets_the_connection_is_whole_or_absent() {
    let stack = Stack::builder().nginx().start().await;
    let key = stack.agent("vpn-1").key().await.to_owned();
    stack.agent("vpn-1").post_events(json!([])).await.expect(200);
    let mut rng = StdRng::seed_from_u64(1);
    let doors = [stack.ingest(0).address().to_owned(), stack.url().replace("http://", "")];
    let day = working_day(1, BATCH * REQUESTS);
    let mut whole = 0;
    for (number, batch) in day.events.chunks(BATCH).enumerate() {
        let request = events_request(&key, batch);
        // Two of three are sent to their end, before the answer can be there.
        let cut = if rng.random_range(0..3) == 0 {
            rng.random_range(0..request.len())
        } else {
            request.len()
        };
        whole += usize::from(cut == request.len());
        send_and_reset(&doors[number % 2], &request[..cut]).await;
    }
    let last = working_day(2, BATCH);
    eventually("ingest to answer as ever", async || {
        let request = stack.agent("vpn-1").request(Method::POST, "/api/v1/events").await;
        let reply = test_support::Reply::to(request.json(&body("vpn-1", &last.events))).await;
        (reply.status == 200).then_some(())
    })
    .await;
    let stored = stack.database().sql("SELECT event_id FROM vpn_event").await;
    let mut batches = 0;
    for batch in day.events.chunks(BATCH) {
        let present = batch
            .iter()
            .filter(|event| stored.contains(&event.event_id.to_string()))
            .count();
        assert!(
            present == 0 || present == BATCH,
            "{present} of {BATCH} events are stored"
        );
        batches += usize::from(present == BATCH);
    }
    assert!(
        batches <= whole,
        "{batches} batches are stored, {whole} were sent to their end"
    );
    assert_connections_are_healthy(&stack).await;
}

#[tokio::test]
async fn readers_and_logins_that_reset_their_connection_leave_no_transaction_open() {
    let stack = Stack::start().await;
    stack.agent("vpn-1").connects("jdoe").await;
    let bearer = stack
        .api()
        .request(Method::GET, "/api/sessions")
        .await
        .build()
        .expect("a request");
    let token = bearer.headers()["authorization"].to_str().expect("ASCII").to_owned();
    let read = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n");
    let login = json!({"username": "admin", "password": "not this one"}).to_string();
    let login = format!(
        "POST /api/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{login}",
        login.len()
    );
    for _ in 0..20 {
        for path in [
            "/api/sessions",
            "/api/analytics/dashboard",
            "/api/sessions/export?format=csv",
        ] {
            send_and_reset(stack.query_api().address(), read(path).as_bytes()).await;
        }
        send_and_reset(stack.auth().address(), login.as_bytes()).await;
    }
    assert_connections_are_healthy(&stack).await;
    assert_eq!(stack.api().get("/api/sessions").await["total"], 1);
    stack.agent("vpn-1").disconnects("jdoe").await;
}

fn events_request(key: &str, batch: &[Event]) -> Vec<u8> {
    let body = body("vpn-1", batch).to_string();
    let head = format!(
        "POST /api/v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    [head, body].concat().into_bytes()
}

/// Sends these bytes and resets the connection (RST) without waiting for anything.
async fn send_and_reset(address: &str, bytes: &[u8]) {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    connection.write_all(bytes).await.expect("it reads");
    connection.set_zero_linger().expect("a TCP option");
}

/// No transaction waits for a client that is gone: such a one would stay for 30 seconds.
async fn assert_connections_are_healthy(stack: &Stack) {
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND (state LIKE 'idle in transaction%' OR (state = 'active' AND pid <> pg_backend_pid()))";
    eventually_within(Duration::from_secs(10), "no transaction to be open", async || {
        (stack.database().count(open).await == 0).then_some(())
    })
    .await;
}
