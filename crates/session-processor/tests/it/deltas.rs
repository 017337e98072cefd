use bus::proto::{Event, EventType, SessionFacts};

use crate::rig::{Rig, connect, told};

/// NATS takes messages of a bounded size; what is told of many sessions is told in several.
#[tokio::test]
async fn a_snapshot_of_a_huge_server_reaches_realtime_subscribers() {
    let rig = Rig::new(120).await;
    let mut deltas = rig.bus.subscribe_deltas(Some("vpn-1")).await.expect("NATS is there");
    let _processor = rig.processor(&[]).await;
    let entry = |number: u32| SessionFacts {
        common_name: format!("user-{number}"),
        ..SessionFacts::default()
    };
    rig.publish(vec![Event {
        r#type: EventType::SessionSnapshot.into(),
        sessions: (0..20_000).map(entry).collect(),
        ..connect(0)
    }])
    .await;
    told(&mut deltas, |versions| versions.len() == 20_000).await;
}
