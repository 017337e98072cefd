use std::collections::HashSet;

use domain::role::Role;
use futures_util::future::join_all;
use serde_json::json;
use test_support::{Reply, eventually};

use crate::device::text;
use crate::rig::{PASSWORD, Rig};

const LIVING: &str = "SELECT count(*) FROM portal_session WHERE ended_at IS NULL";

/// As if all that has happened so far had happened this much earlier.
async fn grace_is_over(rig: &Rig) {
    rig.database
        .sql("UPDATE portal_refresh_token SET used_at = used_at - interval '11 seconds'")
        .await;
}

#[tokio::test]
async fn a_refresh_token_gives_the_next_tokens_of_the_same_session() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let device = auth.device("jdoe").await;
    let first = (device.access_token(), device.refresh_token());

    device.refresh().await;

    assert_ne!((device.access_token(), device.refresh_token()), first);
    device.me().await.expect(200);
    auth.me(&first.0).await.expect(200);
    device.refresh().await;
    assert_eq!(rig.database.count("SELECT count(*) FROM portal_session").await, 1);
    let kept = rig
        .database
        .sql("SELECT portal_refresh_token FROM portal_refresh_token")
        .await;
    assert!(!kept.contains(&first.1), "only hashes are kept");
}

#[tokio::test]
async fn fifty_refreshes_at_once_leave_one_living_family() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let (first, second) = (rig.serve().await, rig.serve().await);
    let device = first.device("jdoe").await;
    let token = device.refresh_token();

    let replicas = [&first, &second];
    let answers = join_all((0..50).map(|n| replicas[n % 2].refresh(&token))).await;

    let mut next = HashSet::new();
    for answer in answers {
        next.insert(text(&answer.expect(200).json(), "refresh_token"));
    }
    assert_eq!(next.len(), 50);
    assert_eq!(rig.database.count(LIVING).await, 1);
    // Whichever of them the tabs keep, the family goes on.
    for token in next.iter().take(3) {
        first.refresh(token).await.expect(200);
    }
    assert_eq!(rig.database.count(LIVING).await, 1);
}

#[tokio::test]
async fn a_replay_after_the_grace_ends_the_family_and_its_access_tokens() {
    let rig = Rig::new().await;
    let id = rig.portal_user("jdoe", &[Role::Viewer]).await;
    let (auth, other) = (rig.serve().await, rig.serve().await);
    let device = auth.device("jdoe").await;
    let stolen = device.refresh_token();
    device.refresh().await;
    grace_is_over(&rig).await;

    let replay = auth.refresh(&stolen).await.expect(401).json();

    assert_eq!(replay["error"], "invalid_refresh_token");
    auth.refresh(&device.refresh_token()).await.expect(401);
    eventually("the access token to be refused by another service", async || {
        (other.me(&device.access_token()).await.status == 401).then_some(())
    })
    .await;
    assert_eq!(rig.database.count(LIVING).await, 0);
    let entries = rig
        .database
        .rows("SELECT * FROM audit_log WHERE action = 'refresh_reused'")
        .await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0]["actor_portal_user_id"], &entries[0]["actor_name"]),
        (&json!(id), &json!("jdoe"))
    );
    assert_eq!(entries[0]["request_id"], "refresh-1");
}

#[tokio::test]
async fn another_device_is_another_family() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let (desk, phone) = (auth.device("jdoe").await, auth.device("jdoe").await);
    let stolen = desk.refresh_token();
    desk.refresh().await;
    grace_is_over(&rig).await;
    auth.refresh(&stolen).await.expect(401);

    phone.refresh().await;
    phone.me().await.expect(200);
}

#[tokio::test]
async fn what_is_no_good_refresh_token_gets_one_answer() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let mut answers = Vec::new();
    let expired = auth.device("jdoe").await.refresh_token();
    rig.database
        .sql("UPDATE portal_session SET expires_at = now() - interval '1 second'")
        .await;
    answers.push(auth.refresh(&expired).await);
    let inactive = auth.device("jdoe").await.refresh_token();
    rig.database.sql("UPDATE portal_user SET is_active = false").await;
    answers.push(auth.refresh(&inactive).await);
    answers.push(auth.refresh("nonsense").await);
    answers.push(auth.refresh("").await);
    let bodies: HashSet<_> = answers.into_iter().map(|answer| answer.expect(401).body).collect();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn a_logout_ends_the_session_and_its_access_token_on_another_service_within_a_second() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let (auth, other) = (rig.serve().await, rig.serve().await);
    let (device, stays) = (auth.device("jdoe").await, auth.device("jdoe").await);
    other.me(&device.access_token()).await.expect(200);

    let asked = std::time::Instant::now();
    auth.logout(&device.refresh_token()).await.expect(204);

    eventually("the access token to be refused", async || {
        (other.me(&device.access_token()).await.status == 401).then_some(())
    })
    .await;
    assert!(asked.elapsed().as_secs_f64() < 1.0, "{:?}", asked.elapsed());
    auth.refresh(&device.refresh_token()).await.expect(401);
    other.me(&stays.access_token()).await.expect(200);
    // Once more, or with nothing: no error.
    auth.logout(&device.refresh_token()).await.expect(204);
    Reply::to(auth.post("/api/auth/logout").json(&json!({})))
        .await
        .expect(204);
    let logouts = "SELECT count(*) FROM audit_log WHERE action = 'logout' AND actor_name = 'jdoe'";
    assert_eq!(rig.database.count(logouts).await, 1);
}

#[tokio::test]
async fn a_logout_everywhere_ends_all_sessions_of_that_user_only() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    rig.portal_user("other", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let (desk, phone) = (auth.device("jdoe").await, auth.device("jdoe").await);
    let other = auth.device("other").await;

    let request = auth.post("/api/auth/logout-all").bearer_auth(desk.access_token());
    Reply::to(request).await.expect(204);

    for device in [&desk, &phone] {
        device.me().await.expect(401);
        auth.refresh(&device.refresh_token()).await.expect(401);
    }
    other.me().await.expect(200);
    auth.device("jdoe").await.me().await.expect(200);
    let details = "SELECT details_json ->> 'portal_sessions' FROM audit_log WHERE action = 'logout_all'";
    assert_eq!(rig.database.sql(details).await, "2");
}

#[tokio::test]
async fn a_source_that_asks_too_often_is_asked_to_wait() {
    let mut rig = Rig::new().await;
    rig.set("LOGIN_REQUESTS_PER_MINUTE", "3");
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    auth.login("jdoe", PASSWORD).await.expect(200);
    auth.refresh("nonsense").await.expect(401);
    auth.logout("nonsense").await.expect(204);
    for answer in [auth.login("jdoe", PASSWORD).await, auth.refresh("nonsense").await] {
        assert_eq!(answer.expect(429).header("retry-after"), Some("20"));
    }
    let elsewhere = auth.post("/api/auth/login").header("x-forwarded-for", "198.51.100.7");
    let body = json!({"username": "jdoe", "password": PASSWORD});
    Reply::to(elsewhere.json(&body)).await.expect(200);
}
