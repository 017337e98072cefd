use std::time::Duration;

use test_support::Process;
use uuid::Uuid;

use crate::rig::{Rig, connect};

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn two_replicas_share_the_work_and_each_event_is_applied_once() {
    let rig = Rig::new(30).await;
    let held = rig.hold_server().await;
    let (first, second) = (rig.processor(&[]).await, rig.processor(&[]).await);
    for number in 0..400 {
        // Every event twice, in different messages.
        rig.publish(vec![connect(number), connect(number / 2)]).await;
    }
    rig.blocked(2).await;
    held.release().await;
    rig.stored(400, PATIENCE).await;
    assert_eq!(rig.database.count("SELECT count(*) FROM vpn_session").await, 400);
    assert_eq!(rig.database.count("SELECT max(version) FROM vpn_session").await, 1);
    for replica in [first, second] {
        assert!(events_of(&replica).await > 0, "a replica has done nothing");
    }
}

/// Sessions of the same VPN users on the same VPN server, from both sides at once.
#[tokio::test]
async fn replicas_that_meet_on_the_same_sessions_agree() {
    let rig = Rig::new(30).await;
    let _replicas = (rig.processor(&[]).await, rig.processor(&[]).await);
    for number in 0..300 {
        let mut event = connect(number);
        event.sessions[0].common_name = format!("user-{}", number % 5);
        rig.publish(vec![event]).await;
    }
    rig.stored(300, PATIENCE).await;
    let open = "SELECT id FROM vpn_session WHERE session_status = 'active' ORDER BY id";
    let last: Vec<String> = (295..300)
        .map(|number| Uuid::from_u128(number + 1).to_string())
        .collect();
    assert_eq!(rig.database.sql(open).await.lines().collect::<Vec<_>>(), last);
    let ended = "SELECT count(*) FROM vpn_session WHERE ended_by = 'superseded'";
    assert_eq!(rig.database.count(ended).await, 295);
}

async fn events_of(replica: &Process) -> u64 {
    let url = format!("{}/metrics", replica.url());
    let metrics = test_support::Reply::to(test_support::http_client().get(url)).await.body;
    let line = metrics.lines().find(|line| line.starts_with("processor_events_total"));
    line.and_then(|line| line.split_whitespace().next_back()?.parse().ok())
        .unwrap_or(0)
}
