//! Identity at an instant: who held an address, how certain that is, and by which proofs.

use serde_json::{Value, json};
use test_support::{Stack, contains};
use uuid::Uuid;

use super::{active, at, inferred, reported, session, stack};

async fn who_held(stack: &Stack, ip: &str, clock: &str) -> Value {
    stack
        .api()
        .get(&format!("/api/identity?ip={ip}&at=2026-02-13T{clock}Z"))
        .await
}

#[track_caller]
fn says(answer: &Value, certainty: &str, holders: &Value) {
    assert_eq!(answer["answer"], certainty, "{answer:#}");
    assert!(
        contains(&answer["holders"], holders),
        "{holders:#} expected, but {:#}",
        answer["holders"]
    );
}

fn certain(id: Uuid, proof_before: &str, proof_after: &str) -> Value {
    json!({"certainty": "certain", "session": {"id": id}, "proof_before": at(proof_before), "proof_after": at(proof_after)})
}

fn probable(id: Uuid, last_proof: &str, disproof: Option<&str>) -> Value {
    json!({"certainty": "probable", "session": {"id": id}, "proof_before": at(last_proof), "proof_after": null,
        "disproof": disproof.map(at)})
}

#[tokio::test]
async fn between_two_proofs_it_is_certain_and_behind_the_last_one_probable() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let id = agent.connects("jdoe").virtual_ip("10.8.0.2").at("10:00:00").await;
    agent.updates("jdoe").at("10:20:00").await;
    session(&stack, id, json!({"last_seen_at": at("10:20:00")})).await;

    says(&who_held(&stack, "10.8.0.2", "09:59:59").await, "none", &json!([]));
    says(
        &who_held(&stack, "10.8.0.2", "10:10:00").await,
        "certain",
        &json!([certain(id, "10:00:00", "10:20:00")]),
    );
    says(
        &who_held(&stack, "10.8.0.2", "10:40:00").await,
        "probable",
        &json!([probable(id, "10:20:00", None)]),
    );
    says(&who_held(&stack, "10.8.0.3", "10:10:00").await, "none", &json!([]));
}

#[tokio::test]
async fn an_address_that_was_taken_over_belongs_to_the_later_session() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let jdoe = agent.connects("jdoe").virtual_ip("10.8.0.2").at("10:00:00").await;
    agent.updates("jdoe").at("10:20:00").await;
    let bob = agent.connects("bob").virtual_ip("10.8.0.2").at("11:00:00").await;
    session(&stack, jdoe, inferred("superseded", "10:20:00", "11:00:00")).await;
    says(
        &who_held(&stack, "10.8.0.2", "10:40:00").await,
        "probable",
        &json!([probable(jdoe, "10:20:00", Some("11:00:00"))]),
    );
    says(
        &who_held(&stack, "10.8.0.2", "11:30:00").await,
        "probable",
        &json!([probable(bob, "11:00:00", None)]),
    );

    agent.disconnects("bob").at("12:00:00").await;
    session(&stack, bob, reported("12:00:00")).await;
    says(
        &who_held(&stack, "10.8.0.2", "11:30:00").await,
        "certain",
        &json!([certain(bob, "11:00:00", "12:00:00")]),
    );
    says(&who_held(&stack, "10.8.0.2", "12:00:01").await, "none", &json!([]));
}

#[tokio::test]
async fn real_addresses_and_ipv6_are_found_and_each_server_has_its_own_pool() {
    let stack = stack().await;
    let (one, other) = (stack.agent("vpn-1"), stack.agent("vpn-2"));
    let here = one
        .connects("jdoe")
        .virtual_ip("10.8.0.2")
        .with("virtual_ip6", "fd00:8::2")
        .at("10:00:00")
        .await;
    let there = other
        .connects("bob")
        .virtual_ip("10.8.0.2")
        .real("198.51.100.7", 4_000)
        .at("10:30:00")
        .await;
    one.disconnects("jdoe").at("12:00:00").await;
    session(&stack, here, reported("12:00:00")).await;
    session(&stack, there, active()).await;

    let by_real = who_held(&stack, "203.0.113.5", "11:00:00").await;
    says(
        &by_real,
        "certain",
        &json!([{"address": "real_ip", "session": {"id": here}}]),
    );
    let by_ipv6 = who_held(&stack, "fd00:0008:0::2", "11:00:00").await;
    says(
        &by_ipv6,
        "certain",
        &json!([{"address": "virtual_ip6", "session": {"id": here}}]),
    );
    let both = json!([certain(here, "10:00:00", "12:00:00"), probable(there, "10:30:00", None)]);
    says(&who_held(&stack, "10.8.0.2", "11:00:00").await, "certain", &both);
}
