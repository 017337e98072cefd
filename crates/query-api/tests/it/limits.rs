//! What a query may cost.

use test_support::{TestDatabase, eventually};

use crate::rig::{Rig, Row};

#[tokio::test]
async fn a_query_that_takes_too_long_is_given_up_and_says_so() {
    let rig = Rig::with(TestDatabase::create().await, &[("QUERY_TIMEOUT_SECONDS", "1")]).await;
    rig.get("/api/sessions").await;
    let holding = rig
        .database
        .sql("BEGIN; LOCK TABLE vpn_session; SELECT pg_sleep(4); COMMIT");
    let asking = async {
        let held =
            "SELECT count(*) FROM pg_locks WHERE relation = 'vpn_session'::regclass AND mode = 'AccessExclusiveLock'";
        eventually("the lock", async || (rig.database.count(held).await == 1).then_some(())).await;
        rig.problem(503, "/api/sessions").await
    };
    let (problem, _) = tokio::join!(asking, holding);
    assert_eq!(problem["error"], "query_timeout");
}

#[tokio::test]
async fn byte_counts_that_add_up_to_more_than_fits_do_not_break_the_figures() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    let now = rig.database.sql("SELECT now()").await;
    for id in 1..=2 {
        let session = Row::session(id, server, user, &now)
            .with("bytes_in", i64::MAX)
            .with("bytes_out", i64::MAX);
        session.insert(&rig).await;
    }
    rig.database
        .sql(&format!(
            "INSERT INTO usage_hour SELECT id, date_trunc('hour', now()), server_id, vpn_user_id, {most}, {most} FROM vpn_session",
            most = i64::MAX
        ))
        .await;
    assert_eq!(rig.get("/api/analytics/dashboard").await["bytes_in_today"], i64::MAX);
    assert_eq!(
        rig.get(&format!("/api/vpn-users/{user}")).await["traffic_30_days"]["bytes_out"],
        i64::MAX
    );
}
