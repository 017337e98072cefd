use bus::proto::{RequestOutcome, RequestOutcomes, SessionDeltas};
use domain::revocation::Revocation;
use futures_util::StreamExt;
use uuid::Uuid;

use crate::support::bus;

#[tokio::test]
async fn outcomes_reach_the_instance_that_waits() {
    let bus = bus().await;
    let (reply_subject, mut outcomes) = bus.subscribe_outcomes("ingest.1").await.unwrap();
    let sent = RequestOutcomes {
        outcomes: vec![RequestOutcome {
            duplicates: 3,
            ..Default::default()
        }],
    };
    bus.publish_outcomes(&reply_subject, &sent).await.unwrap();
    assert_eq!(outcomes.next().await.unwrap(), sent);
}

#[tokio::test]
async fn deltas_are_heard_by_server_and_by_all() {
    let bus = bus().await;
    let mut one = bus.subscribe_deltas(Some("vpn.2")).await.unwrap();
    let mut all = bus.subscribe_deltas(None).await.unwrap();
    for name in ["vpn-1", "vpn.2"] {
        bus.publish_deltas(&[SessionDeltas {
            server_name: name.to_owned(),
            ..Default::default()
        }])
        .await
        .unwrap();
    }
    assert_eq!(one.next().await.unwrap().server_name, "vpn.2");
    assert_eq!(all.next().await.unwrap().server_name, "vpn-1");
    assert_eq!(all.next().await.unwrap().server_name, "vpn.2");
}

#[tokio::test]
async fn revoked_keys_are_announced() {
    let bus = bus().await;
    let mut revoked = bus.subscribe_api_key_revoked().await.unwrap();
    bus.publish_api_key_revoked("abcdef012345").await.unwrap();
    assert_eq!(revoked.next().await.unwrap(), "abcdef012345");
}

#[tokio::test]
async fn waiting_commands_are_announced() {
    let bus = bus().await;
    let mut waiting = bus.subscribe_commands_waiting().await.unwrap();
    bus.publish_commands_waiting(vec![7, 300]).await.unwrap();
    assert_eq!(waiting.next().await.unwrap(), [7, 300]);
}

#[tokio::test]
async fn revoked_access_is_announced() {
    let bus = bus().await;
    let mut revoked = bus.subscribe_access_revoked().await.unwrap();
    let revocations = [
        Revocation::PortalSession(Uuid::from_u128(9)),
        Revocation::PortalUser {
            id: 7,
            token_version: 2,
        },
    ];
    for revocation in revocations {
        bus.publish_access_revoked(revocation).await.unwrap();
    }
    for revocation in revocations {
        assert_eq!(revoked.next().await.unwrap(), revocation);
    }
}
