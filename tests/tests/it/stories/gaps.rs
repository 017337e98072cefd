//! Rule 10: missing numbers are gaps, shown wherever they could matter, and closed when late events arrive.

use serde_json::{Value, json};
use test_support::{Agent, Stack, new_uuid};
use uuid::Uuid;

use super::exports::{export, of_type};
use super::{at, reported, server, session, stack};

/// A session of which events 3, 4 and 6 are missing; gives its id.
async fn a_session_with_gaps(agent: &Agent, boot: Uuid) -> Uuid {
    agent.boots(boot);
    let id = agent
        .connects("jdoe")
        .virtual_ip("10.8.0.2")
        .seq(1)
        .at("10:00:00")
        .await;
    agent.updates("jdoe").seq(2).at("10:10:00").await;
    agent.updates("jdoe").seq(5).at("10:20:00").await;
    agent.disconnects("jdoe").seq(7).at("10:30:00").await;
    id
}

fn gap(boot: Uuid, from_seq: u64, to_seq: u64, after: &str, before: &str) -> Value {
    json!({"server_instance": "vpn-1", "boot_id": boot, "from_seq": from_seq, "to_seq": to_seq,
        "missing_events": to_seq - from_seq + 1, "after_time": at(after), "before_time": at(before)})
}

async fn shows_no_gaps(stack: &Stack) {
    server(
        stack,
        "vpn-1",
        json!({"gaps": {"ranges": 0, "missing_events": 0}, "gap_list": []}),
    )
    .await;
}

#[tokio::test]
async fn missing_events_are_shown_with_everything_that_they_could_change() {
    let stack = stack().await;
    let (agent, boot) = (stack.agent("vpn-1"), new_uuid());
    let id = a_session_with_gaps(&agent, boot).await;
    let (first, second) = (
        gap(boot, 3, 4, "10:10:00", "10:20:00"),
        gap(boot, 6, 6, "10:20:00", "10:30:00"),
    );

    let newest_first = json!({"gaps": {"ranges": 2, "missing_events": 3}, "gap_list": [second, first]});
    server(&stack, "vpn-1", newest_first).await;
    let shown = session(&stack, id, reported("10:30:00")).await;
    assert_eq!(shown["known_by"]["gaps"], json!([first, second]));
    let holder = stack
        .api()
        .get("/api/identity?ip=10.8.0.2&at=2026-02-13T10:15:00Z")
        .await;
    assert_eq!(holder["holders"][0]["gaps"], json!([first, second]));
    assert_eq!(
        holder["gaps"],
        json!([first]),
        "of any server, around the instant alone"
    );

    let rows = export(&stack, "").await;
    let gaps: Vec<_> = of_type(&rows, "gap")
        .map(|row| (&*row["gap_from_seq"], &*row["gap_to_seq"]))
        .collect();
    assert_eq!(gaps, [("3", "4"), ("6", "6")]);
    let before = export(&stack, "to_date=2026-02-13T09:00:00Z").await;
    assert_eq!(
        of_type(&before, "gap").count(),
        0,
        "nothing is missing before 9 o'clock"
    );
}

#[tokio::test]
async fn late_events_close_gaps_piece_by_piece_and_refused_ones_are_not_missing() {
    let stack = stack().await;
    let (agent, boot) = (stack.agent("vpn-1"), new_uuid());
    a_session_with_gaps(&agent, boot).await;
    agent.updates("jdoe").seq(3).at("10:12:00").await;
    let left = [
        gap(boot, 6, 6, "10:20:00", "10:30:00"),
        gap(boot, 4, 4, "10:12:00", "10:20:00"),
    ];
    server(&stack, "vpn-1", json!({"gap_list": left})).await;

    agent.updates("jdoe").seq(4).at("10:15:00").await;
    let refused = agent.updates("jdoe").seq(6).with("real_ip", "nowhere").at("10:25:00");
    let reply = agent
        .post_events(json!([
            refused.json(),
            agent.connects("bob").seq(8).at("10:40:00").json()
        ]))
        .await;
    assert_eq!(reply.expect(200).json()["errors"][0]["error"], "invalid_real_ip");
    shows_no_gaps(&stack).await;
}

#[tokio::test]
async fn each_boot_has_its_own_numbers_and_lacks_its_first_ones_too() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let (first_boot, second_boot) = (new_uuid(), new_uuid());
    agent.boots(first_boot);
    agent
        .sends([
            agent.server_started().seq(1).at("09:00:00"),
            agent.connects("jdoe").seq(2).at("10:00:00"),
        ])
        .await;
    agent.boots(second_boot);
    agent.connects("bob").seq(3).at("11:00:00").await;
    let lacks = json!([{"boot_id": second_boot, "from_seq": 1, "to_seq": 2, "after_time": null, "before_time": at("11:00:00")}]);
    server(&stack, "vpn-1", json!({"gap_list": lacks})).await;
    agent
        .sends([
            agent.connects("carol").seq(2).at("10:55:00"),
            agent.server_started().seq(1).at("10:50:00"),
        ])
        .await;
    shows_no_gaps(&stack).await;
}
