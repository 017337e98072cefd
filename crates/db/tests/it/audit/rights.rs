//! What PostgreSQL itself refuses to the services.

use super::Log;

const SERVICES: [&str; 6] = [
    "ovt_ingest",
    "ovt_session_processor",
    "ovt_query_api",
    "ovt_auth",
    "ovt_realtime_gateway",
    "ovt_reporter",
];

const APPEND: &str =
    "SELECT append_audit_entry(NULL, 'somebody', 'login', 'portal_user', NULL, '{}', NULL, NULL, NULL)";

#[tokio::test]
async fn no_service_can_do_anything_to_the_log_but_append() {
    let log = Log::with(3).await;
    for role in SERVICES {
        for forbidden in [
            "INSERT INTO audit_log SELECT * FROM audit_log",
            "UPDATE audit_log SET actor_name = 'nobody'",
            "DELETE FROM audit_log",
            "TRUNCATE audit_log",
            "DROP TABLE audit_log",
            "ALTER TABLE audit_log OWNER TO CURRENT_USER",
            "ALTER TABLE audit_log DISABLE TRIGGER ALL",
            "CREATE TRIGGER quiet BEFORE INSERT ON audit_log EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            "UPDATE audit_head SET last_id = 0",
            "DELETE FROM audit_head",
            "INSERT INTO audit_head (last_id, entry_hash) VALUES (0, '')",
            "SELECT * FROM audit_head FOR UPDATE",
            "UPDATE audit_checkpoint SET id = 0",
            "DELETE FROM audit_checkpoint",
            "TRUNCATE audit_checkpoint",
            "UPDATE audit_signing_key SET kid = ''",
            "DELETE FROM audit_signing_key",
            "SELECT chain_audit_entry(NULL)",
            "CREATE OR REPLACE FUNCTION append_audit_entry(bigint, text, text, text, text, text, inet, text, text) RETURNS bigint
                LANGUAGE sql AS 'SELECT 1::bigint'",
            "SET ROLE telemetry",
        ] {
            let refused = log.database.try_sql_as(role, forbidden).await;
            let error = refused.expect_err(&format!("{role} may: {forbidden}"));
            assert!(
                ["permission denied", "must be owner", "must be able to SET ROLE"]
                    .iter()
                    .any(|words| error.contains(words)),
                "{role}: {forbidden}: {error}"
            );
        }
    }
    assert_eq!(log.verify().await.verified_to, 3);
}

#[tokio::test]
async fn only_services_that_change_something_can_append() {
    let log = Log::new().await;
    for role in SERVICES {
        let appended = log.database.try_sql_as(role, APPEND).await;
        let may = !matches!(role, "ovt_ingest" | "ovt_session_processor");
        assert_eq!(appended.is_ok(), may, "{role}: {appended:?}");
    }
    assert_eq!(log.verify().await.verified_to, 4);
}

#[tokio::test]
async fn only_auth_can_store_a_checkpoint() {
    let log = Log::with(1).await;
    let key = "INSERT INTO audit_signing_key (kid, public_key) VALUES ('kid', decode(repeat('00', 32), 'hex')); \
        INSERT INTO audit_checkpoint (id, entry_hash, signed_at, kid, signature) \
        VALUES (1, decode(repeat('00', 32), 'hex'), now(), 'kid', decode(repeat('00', 64), 'hex'))";
    for role in SERVICES {
        let stored = log.database.try_sql_as(role, key).await;
        assert_eq!(stored.is_ok(), role == "ovt_auth", "{role}: {stored:?}");
    }
}

#[tokio::test]
async fn a_service_cannot_lead_the_append_astray_with_objects_of_its_own() {
    let log = Log::with(1).await;
    let astray = format!(
        "CREATE TEMPORARY TABLE audit_head (last_id bigint, entry_hash bytea);
         CREATE TEMPORARY TABLE audit_log (id bigint);
         CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1';
         SET search_path = pg_temp, public; {}",
        APPEND.replace("append_audit_entry", "public.append_audit_entry")
    );
    // Whether it may make such objects at all is not the point.
    let _ = log.database.try_sql_as("ovt_query_api", &astray).await;
    let report = log.verify().await;
    assert_eq!((report.verified_to, report.first_bad), (2, None));
}
