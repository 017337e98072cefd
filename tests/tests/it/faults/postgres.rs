use serde_json::json;
use test_support::{Process, Stack, eventually};

use super::assert_try_later;

#[tokio::test]
async fn without_postgresql_ingest_goes_on_with_the_keys_it_knows_and_the_processor_catches_up() {
    let stack = Stack::builder()
        .private_servers()
        .nginx()
        // So short that the cache must serve what it would rather ask.
        .with("ingest", "INGEST_KEY_CACHE_SECONDS", "1")
        .with("ingest", "INGEST_RESULT_WAIT_MS", "100")
        .with("*", "DATABASE_CONNECT_TIMEOUT_SECONDS", "1")
        .start()
        .await;
    let (known, unknown) = (stack.agent("vpn-1"), stack.agent("vpn-2"));
    known.connects("user-0").await;
    unknown.key().await;
    let portal = stack.api();
    portal.get("/api/sessions").await;
    let services = [stack.ingest(0), stack.processor(0), stack.query_api(), stack.auth()];
    let ids = services.map(Process::id);

    stack.servers().postgres.stop().await;
    for number in 1..=20 {
        let event = known.connects(&format!("user-{number}")).json();
        known.post_events(json!([event])).await.expect(202);
    }
    let of_unknown = unknown.connects("user-21").json();
    let refused = unknown.post_events(json!([of_unknown])).await;
    assert_try_later(&refused, "key_check_unavailable");
    let no_list = portal.try_get("/api/sessions").await;
    assert_eq!(no_list.status, 503, "{}", no_list.body);
    assert_eq!(no_list.header("content-type"), Some("application/problem+json"));
    assert!(no_list.header("retry-after").is_some());
    let login = json!({"username": "admin", "password": "whatever it is"});
    assert_eq!(stack.anonymous().post("/api/auth/login", &login).await.status, 503);

    stack.servers().postgres.start().await;
    eventually("the unknown key to be known", async || {
        let reply = unknown.post_events(json!([of_unknown])).await;
        reply.status.is_success().then_some(())
    })
    .await;
    eventually("the portal shows all sessions", async || {
        let list = portal.try_get("/api/sessions").await;
        (list.status == 200 && list.json()["total"] == 22).then_some(())
    })
    .await;
    assert!(services.iter().all(|service| service.is_running()));
    assert_eq!(services.map(Process::id), ids, "nobody was started anew");
    assert_eq!(stack.database().count("SELECT count(*) FROM dead_letter").await, 0);
}

#[tokio::test]
async fn a_database_that_hangs_holds_nobody_up_for_long_and_nothing_is_lost() {
    let stack = Stack::builder()
        .with("ingest", "INGEST_RESULT_WAIT_MS", "100")
        .start()
        .await;
    let agent = stack.agent("vpn-1");
    agent.connects("user-0").await;
    let database = stack.database();
    eventually("the first session", async || {
        (database.count("SELECT count(*) FROM vpn_session").await == 1).then_some(())
    })
    .await;
    let held = database
        .hold("LOCK TABLE vpn_event, vpn_session IN ACCESS EXCLUSIVE MODE")
        .await;
    for number in 1..=20 {
        let event = agent.connects(&format!("user-{number}")).json();
        agent.post_events(json!([event])).await.expect(202);
    }
    held.release().await;
    eventually("all sessions", async || {
        (database.count("SELECT count(*) FROM vpn_session").await == 21).then_some(())
    })
    .await;
}
