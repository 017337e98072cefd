use std::time::{Duration, Instant};

use crate::rig::{Rig, connect};

/// Far longer than the tests take: what they see happen sooner was no redelivery.
const ACK_WAIT: u64 = 120;

#[tokio::test]
async fn sigterm_lets_the_batch_in_hand_finish_and_acknowledges_it() {
    let rig = Rig::new(ACK_WAIT).await;
    let processor = rig.processor(&[]).await;
    let held = rig.hold_server().await;
    rig.publish((1..=3).map(connect).collect()).await;
    rig.blocked(1).await;
    processor.terminate();
    assert!(processor.is_running(), "it waits for its batch");
    held.release().await;
    assert!(processor.exited().await.success(), "{}", processor.log());
    rig.stored(3, Duration::from_secs(1)).await;
    assert_eq!(rig.consumer("num_ack_pending").await, 0);
    assert_eq!(rig.consumer("num_pending").await, 0);
}

#[tokio::test]
async fn sigterm_hands_what_was_sent_ahead_back_to_the_other_replicas_at_once() {
    let rig = Rig::new(ACK_WAIT).await;
    let single = [("PROCESSOR_BATCH_MESSAGES", "1")];
    let processor = rig.processor(&single).await;
    let held = rig.hold_server().await;
    for number in 0..40 {
        rig.publish(vec![connect(number)]).await;
    }
    rig.blocked(1).await;
    processor.terminate();
    held.release().await;
    assert!(processor.exited().await.success(), "{}", processor.log());
    let _other = rig.processor(&[]).await;
    rig.stored(40, Duration::from_secs(30)).await;
}

#[tokio::test]
async fn an_idle_processor_ends_at_once() {
    let rig = Rig::new(ACK_WAIT).await;
    let processor = rig.processor(&[]).await;
    let started = Instant::now();
    processor.terminate();
    assert!(processor.exited().await.success(), "{}", processor.log());
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it took {:?}",
        started.elapsed()
    );
}
