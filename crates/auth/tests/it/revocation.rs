use std::time::{Duration, Instant};

use domain::role::Role;
use serde_json::json;
use test_support::{PrivateServers, Reply, eventually, eventually_within, redis_command};

use crate::rig::{Auth, Rig};

const SOON: Duration = Duration::from_secs(1);

/// Waits until `auth` refuses the token, and gives how long that took.
async fn until_refused(auth: &Auth, token: &str, since: Instant) -> Duration {
    eventually("the token to be refused", async || {
        let answer = auth.me(token).await;
        (answer.status == 401).then(|| assert_eq!(answer.json()["error"], "revoked_token"))
    })
    .await;
    since.elapsed()
}

#[tokio::test]
async fn without_nats_a_logout_still_acts_everywhere_within_a_second() {
    let servers = PrivateServers::start().await;
    let rig = Rig::on_private(&servers);
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let (auth, other) = (rig.serve().await, rig.serve().await);
    let device = auth.device("jdoe").await;
    other.me(&device.access_token()).await.expect(200);

    servers.nats.kill().await;
    let asked = Instant::now();
    auth.logout(&device.refresh_token()).await.expect(204);

    let took = until_refused(&other, &device.access_token(), asked).await;
    assert!(took < SOON, "{took:?}");
}

#[tokio::test]
async fn without_redis_reads_answer_and_changes_are_refused_until_it_is_back() {
    let servers = PrivateServers::start().await;
    let rig = Rig::on_private(&servers);
    rig.portal_user("boss", &[Role::Admin]).await;
    let (auth, other) = (rig.serve().await, rig.serve().await);
    let (device, gone) = (auth.device("boss").await, auth.device("boss").await);

    servers.redis.kill().await;

    device.me().await.expect(200);
    let refused = [
        auth.post("/api/auth/logout-all").bearer_auth(device.access_token()),
        auth.get("/api/portal-users").bearer_auth(device.access_token()),
    ];
    for request in refused {
        let answer = Reply::to(request).await.expect(503);
        assert_eq!(answer.json()["error"], "denylist_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    // The bus takes a logout to every copy meanwhile.
    let asked = Instant::now();
    auth.logout(&gone.refresh_token()).await.expect(204);
    let took = until_refused(&other, &gone.access_token(), asked).await;
    assert!(took < SOON, "{took:?}");

    servers.redis.start().await;
    eventually("changes to be possible again", async || {
        let request = auth.get("/api/portal-users").bearer_auth(device.access_token());
        (Reply::to(request).await.status == 200).then_some(())
    })
    .await;
    // A process that starts now learns it from Redis.
    let late = rig.serve().await;
    late.me(&gone.access_token()).await.expect(401);
    late.me(&device.access_token()).await.expect(200);
}

#[tokio::test]
async fn an_emptied_redis_is_filled_from_the_database() {
    let servers = PrivateServers::start().await;
    let rig = Rig::on_private(&servers);
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    rig.portal_user("boss", &[Role::Admin]).await;
    let auth = rig.serve().await;
    let gone = auth.device("jdoe").await;
    auth.logout(&gone.refresh_token()).await.expect(204);
    let everywhere = auth.device("boss").await;
    let request = auth.post("/api/auth/logout-all").bearer_auth(everywhere.access_token());
    Reply::to(request).await.expect(204);
    let boss = auth.device("boss").await;

    redis_command(&servers.redis_url(), &["FLUSHALL"]).await;

    eventually_within(Duration::from_secs(5), "changes to be possible again", async || {
        let request = auth.get("/api/portal-users").bearer_auth(boss.access_token());
        let answer = Reply::to(request).await;
        assert!(answer.status == 200 || answer.status == 503, "{}", answer.body);
        (answer.status == 200).then_some(())
    })
    .await;
    // Another process has nothing but Redis to know it from.
    let late = rig.serve().await;
    late.me(&gone.access_token()).await.expect(401);
    late.me(&everywhere.access_token()).await.expect(401);
    late.me(&boss.access_token()).await.expect(200);
}

#[tokio::test]
async fn an_admin_signs_somebody_out_everywhere_within_a_second() {
    let rig = Rig::new().await;
    let id = rig.portal_user("jdoe", &[Role::Viewer]).await;
    let (auth, other) = (rig.serve().await, rig.serve().await);
    let boss = rig.admin(&auth).await;
    let (desk, phone) = (auth.device("jdoe").await, auth.device("jdoe").await);
    other.me(&phone.access_token()).await.expect(200);

    let asked = Instant::now();
    let path = format!("/api/portal-users/{id}/logout-all");
    boss.post(&path, &json!({})).await.expect(204);

    for device in [&desk, &phone] {
        let took = until_refused(&other, &device.access_token(), asked).await;
        assert!(took < SOON, "{took:?}");
        auth.refresh(&device.refresh_token()).await.expect(401);
    }
    let entries = rig.audited("portal_user", id).await;
    let entry = entries.last().unwrap();
    assert_eq!(
        (&entry["actor_name"], &entry["action"]),
        (&json!("boss"), &json!("logout_all"))
    );
    assert_eq!(entry["details"], json!({"portal_sessions": 2}));
    // Nobody is locked out by that, and the admin is still there.
    auth.device("jdoe").await.me().await.expect(200);
    other.me(&boss.token).await.expect(200);

    let own = boss
        .post(&format!("/api/portal-users/{}/logout-all", boss.id), &json!({}))
        .await;
    assert_eq!(own.expect(409).json()["error"], "own_account");
}

#[tokio::test]
async fn a_refused_role_is_audited() {
    let rig = Rig::new().await;
    let id = rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let device = auth.device("jdoe").await;
    for _ in 0..3 {
        let request = auth.get("/api/portal-users").bearer_auth(device.access_token());
        Reply::to(request.header("x-request-id", "denied-1")).await.expect(403);
    }
    let query = "SELECT * FROM audit_log WHERE action = 'permission_denied'";
    let entries = eventually("the entry", async || {
        let entries = rig.database.rows(query).await;
        (!entries.is_empty()).then_some(entries)
    })
    .await;
    assert_eq!(entries.len(), 1);
    let entry = &entries[0];
    assert_eq!(
        (&entry["actor_portal_user_id"], &entry["actor_name"]),
        (&json!(id), &json!("jdoe"))
    );
    assert_eq!(entry["object_id"], "GET /api/portal-users");
    assert_eq!(
        (&entry["details_json"]["count"], &entry["request_id"]),
        (&json!(1), &json!("denied-1"))
    );
}
