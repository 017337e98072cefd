use std::time::Duration;

use test_support::eventually_within;
use uuid::Uuid;

use crate::rig::{Rig, connect, told};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_message_that_is_delivered_again_changes_nothing_and_tells_the_same_versions_again() {
    let rig = Rig::new(1).await;
    let mut deltas = rig.bus.subscribe_deltas(None).await.expect("NATS is there");
    let _processor = rig.processor(&[]).await;
    rig.publish(vec![connect(0)]).await;
    told(&mut deltas, |versions| !versions.is_empty()).await;

    let held = rig.hold_server().await;
    rig.publish((1..=3).map(connect).collect()).await;
    rig.blocked(1).await;
    // Longer in hand than JetStream waits for the acknowledgement.
    eventually_within(PATIENCE, "the message to be delivered again", async || {
        (rig.consumer("num_redelivered").await > 0).then_some(())
    })
    .await;
    held.release().await;

    let sessions = [2, 3, 4].map(Uuid::from_u128);
    let versions = told(&mut deltas, |versions| {
        let twice = |id| versions.get(id).is_some_and(|told| told.len() > 1);
        sessions.iter().all(twice)
    })
    .await;
    for id in sessions {
        assert_eq!(versions[&id][..2], [1, 1]);
    }
    rig.stored(4, PATIENCE).await;
    assert_eq!(rig.database.count("SELECT max(version) FROM vpn_session").await, 1);
}

/// The message is its own outbox: what was committed and not told is told when it comes again.
#[tokio::test]
async fn a_processor_killed_between_commit_and_publishing_leaves_its_deltas_to_the_next() {
    let rig = Rig::on_private_servers(2).await;
    let mut deltas = rig.bus.subscribe_deltas(None).await.expect("NATS is there");
    let processor = rig.processor(&[]).await;
    let held = rig.hold_server().await;
    rig.publish((1..=3).map(connect).collect()).await;
    rig.blocked(1).await;
    let nats = &rig.servers.as_ref().expect("private servers").nats;
    nats.stop().await;
    held.release().await;
    rig.stored(3, PATIENCE).await;
    processor.kill();

    nats.start().await;
    processor.start();
    let versions = told(&mut deltas, |versions| versions.len() == 3).await;
    assert!(versions.values().all(|told| told == &[1]), "{versions:?}");
    eventually_within(PATIENCE, "the message to be acknowledged", async || {
        (rig.consumer("num_ack_pending").await == 0).then_some(())
    })
    .await;
    rig.stored(3, PATIENCE).await;
}
