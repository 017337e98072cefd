//! The step that makes the log a chain, taken back and made again.

use db::audit::Action;
use serde_json::json;
use test_support::run_binary;

use super::Log;

#[tokio::test]
async fn entries_from_before_the_chain_come_into_it_in_their_order() {
    let log = Log::with(3).await;
    log.append("user4", Action::RefreshReused, json!({"later": "action"}))
        .await;
    let environment = [("DATABASE_URL".to_owned(), log.database.url.clone())];
    let steps = log
        .database
        .count("SELECT count(*) FROM seaql_migrations WHERE version >= '0004'")
        .await;
    run_binary("migrations", &["down", &steps.to_string()], &environment).await;
    // As an earlier version wrote them, with the gaps that its rollbacks left.
    log.database
        .sql(
            "INSERT INTO audit_log (id, created_at, actor_name, action, object_type, details_json, ip_address)
             OVERRIDING SYSTEM VALUE VALUES (9, '2026-02-13T12:00:00.123456Z', 'before', 'login', 'portal_user',
                 '{\"b\": [1, 2.50], \"aa\": \"ü\"}', '2001:db8::1')",
        )
        .await;
    run_binary("migrations", &["up"], &environment).await;
    log.append("user6", Action::Login, json!({})).await;
    let report = log.verify().await;
    assert_eq!((report.entries, report.verified_to, report.first_bad), (6, 6, None));
    let names = "SELECT string_agg(id || ' ' || actor_name, ', ' ORDER BY id) FROM audit_log";
    assert_eq!(
        log.database.sql(names).await,
        "1 user1, 2 user2, 3 user3, 4 user4, 5 before, 6 user6"
    );
}
