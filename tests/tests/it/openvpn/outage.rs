//! The product is away for a minute, and life goes on at the VPN server.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use test_support::{Stack, eventually, eventually_within};

use super::Lab;
use super::lab::{Client, skipped};
use super::sessions::{ended_exactly, sessions_of, status, the_session};

/// The minute, and what is done in it.
const PATIENCE: Duration = Duration::from_secs(90);
/// Bytes of a ping beside its payload, on both sides of the tunnel: headers, and what the tunnel adds.
const OVERHEAD: i64 = 200;
/// Bytes of a session that are no traffic: handshakes, keys, keepalive.
const CONTROL: i64 = 60_000;

/// What clients have sent through the tunnel and had answered, as they say.
#[derive(Default)]
struct Traffic(HashMap<String, (i64, i64)>);

impl Traffic {
    fn ping(&mut self, lab: &Lab, client: &Client, count: u32) {
        let answered = lab.ping(client, count, 1_000);
        let (sent, known) = self.0.entry(client.common_name.clone()).or_default();
        *sent += i64::from(count);
        *known += i64::from(answered);
    }

    /// The session's counters are those of this traffic.
    fn is_that_of(&self, session: &Value) {
        let (sent, answered) = self.0[session["common_name"].as_str().unwrap()];
        let expected = answered * 1_000..=sent * (1_000 + OVERHEAD) + CONTROL;
        for counter in ["bytes_in", "bytes_out"] {
            let bytes = session[counter].as_i64().unwrap_or_default();
            assert!(
                expected.contains(&bytes),
                "{counter}, {answered} of {sent} pings answered: {session:#}"
            );
        }
    }
}

/// The sessions of a client, the oldest first, when there are as many as it had and each is as wanted.
async fn sessions(stack: &Stack, client: &Client, wanted: &[&dyn Fn(&Value) -> bool]) -> Vec<Value> {
    let number = wanted.len();
    eventually_within(PATIENCE, &format!("{number} of {}", client.common_name), async || {
        let sessions = sessions_of(stack, &client.common_name).await;
        assert!(sessions.len() <= number, "none is told twice: {sessions:#?}");
        let is_as_wanted = |(session, wanted): (&Value, &&dyn Fn(&Value) -> bool)| wanted(session);
        (sessions.len() == number && sessions.iter().zip(wanted).all(is_as_wanted)).then_some(sessions)
    })
    .await
}

#[tokio::test]
async fn a_minute_without_the_product_costs_no_session_and_no_byte() {
    if skipped() {
        return;
    }
    let stack = Stack::start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    lab.attached().await;
    let (stays, leaves, floats) = (
        lab.connect("stays").await,
        lab.connect("leaves").await,
        lab.connect("floats").await,
    );
    let mut before = Traffic::default();
    for client in [&stays, &leaves, &floats] {
        the_session(&stack, &client.common_name, "active", status("active")).await;
        before.ping(&lab, client, 20);
    }

    stack.ingest(0).kill();
    lab.disconnect(&leaves).await;
    lab.move_client(&floats, "198.18.9.9");
    before.ping(&lab, &floats, 30);
    before.ping(&lab, &stays, 40);
    let visits = lab.connect("visits").await;
    before.ping(&lab, &visits, 50);
    lab.disconnect(&visits).await;
    let arrives = lab.connect("arrives").await;
    before.ping(&lab, &arrives, 60);
    // A client that leaves stays with the daemon for five seconds more.
    eventually("both that left to have ended", async || {
        (lab.agent_gauge("sessions") == 3.0).then_some(())
    })
    .await;
    lab.has_polled_again().await;
    // Nobody tells the clients: they miss the daemon, and come back by themselves.
    lab.kill_server();
    lab.start_server().await;
    let mut after = Traffic::default();
    for client in [&stays, &floats, &arrives] {
        lab.is_through(client, 2).await;
        after.ping(&lab, client, 70);
    }
    eventually_within(PATIENCE, "events to have waited for a minute", async || {
        (lab.agent_gauge("spool_oldest_seconds") >= 60.0).then_some(())
    })
    .await;
    after.ping(&lab, &stays, 10);
    stack.ingest(0).start();
    stack.ingest(0).ready().await;

    for client in [&leaves, &visits] {
        let ended = sessions(&stack, client, &[&ended_exactly]).await.remove(0);
        assert_eq!(ended["ended_by"], "reported", "{ended:#}");
        before.is_that_of(&ended);
    }
    for client in [&stays, &floats, &arrives] {
        let two = sessions(&stack, client, &[&status("disconnected"), &status("active")]).await;
        assert_eq!(two[0]["ended_by"], "server_restart", "{two:#?}");
        before.is_that_of(&two[0]);
        lab.disconnect(client).await;
        let two = sessions(&stack, client, &[&status("disconnected"), &ended_exactly]).await;
        assert_eq!(two[1]["ended_by"], "reported", "{two:#?}");
        after.is_that_of(&two[1]);
    }
    let floated = sessions_of(&stack, "floats").await;
    assert!(
        floated.iter().all(|session| session["real_ip"] == "198.18.9.9"),
        "{floated:#?}"
    );
    let servers = stack.api().get("/api/servers").await;
    assert_eq!(servers["servers"][0]["gaps"]["missing_events"], 0, "{servers:?}");
    let lost = ["dead_letters", "spool_given_up_events"].map(|name| lab.agent_gauge(name));
    assert_eq!(lost, [0.0, 0.0]);
}
