//! What PostgreSQL refuses to the services, tried and not read from the catalogue.

use std::collections::BTreeSet;

use migrations::SERVICE_ROLES;
use test_support::TestDatabase;

/// Who may change rows of each table, as `docs/security.md` says. A table that is not here fails the test.
const WRITERS: &[(&str, &[&str])] = &[
    ("audit_checkpoint", AUTH),
    ("audit_head", &[]),
    ("audit_log", &[]),
    ("audit_signing_key", AUTH),
    ("dead_letter", PROCESSOR),
    ("event_gap", PROCESSOR),
    ("login_attempt", AUTH),
    ("portal_recovery_code", AUTH),
    ("portal_refresh_token", AUTH),
    ("portal_role", AUTH),
    ("portal_session", AUTH),
    ("portal_user", AUTH),
    ("portal_user_role", AUTH),
    ("seaql_migrations", &[]),
    ("server_api_key", AUTH),
    ("server_boot", PROCESSOR),
    ("server_health_sample", PROCESSOR),
    ("session_command", &["ovt_ingest", "ovt_query_api"]),
    ("token_signing_key", AUTH),
    ("unmatched_event", PROCESSOR),
    ("usage_hour", PROCESSOR),
    ("usage_progress", PROCESSOR),
    ("vpn_denial", &["ovt_ingest", "ovt_query_api"]),
    ("vpn_event", PROCESSOR),
    ("vpn_event_202602", &[]),
    ("vpn_server", &["ovt_auth", "ovt_query_api"]),
    ("vpn_server_state", PROCESSOR),
    ("vpn_session", PROCESSOR),
    ("vpn_user", &["ovt_query_api", "ovt_session_processor"]),
    ("vpn_user_ccd", PROCESSOR),
    ("vpn_user_certificate", PROCESSOR),
    ("vpn_user_route", PROCESSOR),
];
const PROCESSOR: &[&str] = &["ovt_session_processor"];
const AUTH: &[&str] = &["ovt_auth"];

/// Tells whether a statement gets past PostgreSQL's privileges; whatever it does is rolled back.
const ATTEMPT: &str = "CREATE FUNCTION attempt(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE statement;
        RAISE 'rolled back';
    EXCEPTION
        WHEN insufficient_privilege THEN RETURN false;
        WHEN OTHERS THEN RETURN true;
    END $$";

/// Every change of every table, column by column, that gets through: `table verb`.
const CHANGES: &str = "SELECT DISTINCT t.relname || ' ' || verb
    FROM pg_class t, LATERAL (
        VALUES ('INSERT', format('INSERT INTO %I DEFAULT VALUES', t.relname)),
               ('DELETE', format('DELETE FROM %I', t.relname)),
               ('TRUNCATE', format('TRUNCATE %I CASCADE', t.relname)),
               ('ALTER', format('ALTER TABLE %I DISABLE TRIGGER ALL', t.relname)),
               ('DROP', format('DROP TABLE %I CASCADE', t.relname))
        UNION ALL SELECT 'UPDATE', format('UPDATE %I SET %I = DEFAULT', t.relname, c.attname)
            FROM pg_attribute c WHERE c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
    ) AS change (verb, statement)
    WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p') AND attempt(statement)
    ORDER BY 1";

async fn database() -> TestDatabase {
    let database = TestDatabase::create().await;
    database.sql(ATTEMPT).await;
    database.sql("SELECT ensure_event_partition('2026-02-13Z')").await;
    database
}

async fn lines(database: &TestDatabase, role: &str, query: &str) -> BTreeSet<String> {
    let answer = database
        .try_sql_as(role, query)
        .await
        .expect("the query itself is allowed");
    answer.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_table_is_changed_by_its_own_service_only_and_emptied_by_none() {
    let database = database().await;
    let tables = database
        .sql("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')")
        .await;
    let unlisted: Vec<&str> = tables
        .lines()
        .filter(|table| !WRITERS.iter().any(|(listed, _)| listed == table))
        .collect();
    assert_eq!(unlisted, [""; 0], "say in WRITERS who may change these tables");
    for (role, _) in SERVICE_ROLES {
        let through = lines(&database, role, CHANGES).await;
        for change in &through {
            let (table, verb) = change.split_once(' ').expect("table verb");
            let writers = WRITERS
                .iter()
                .find(|(listed, _)| *listed == table)
                .expect("it is listed")
                .1;
            assert!(
                writers.contains(&role) && ["INSERT", "UPDATE", "DELETE"].contains(&verb),
                "PostgreSQL lets {role} {verb} {table}"
            );
        }
        let own = WRITERS.iter().filter(|(_, writers)| writers.contains(&role));
        for (table, _) in own {
            assert!(
                through.iter().any(|change| change.starts_with(&format!("{table} "))),
                "{role} cannot change {table}"
            );
        }
    }
}

#[tokio::test]
async fn the_audit_log_is_written_through_its_function_only_and_changed_by_nobody() {
    let database = database().await;
    let append = "SELECT attempt('SELECT append_audit_entry(NULL, ''test'', ''login'', ''portal_user'', NULL, ''{}'', NULL, NULL, NULL)')";
    let others = "SELECT attempt('SELECT chain_audit_entry(NULL)')";
    for (role, _) in SERVICE_ROLES {
        let through = lines(&database, role, CHANGES).await;
        let changes: Vec<_> = through
            .iter()
            .filter(|change| change.starts_with("audit_log ") || change.starts_with("audit_head "))
            .collect();
        assert!(changes.is_empty(), "PostgreSQL lets {role} {changes:?}");
        let tells = !["ovt_ingest", "ovt_session_processor"].contains(&role);
        assert_eq!(
            lines(&database, role, append).await,
            set(&[if tells { "t" } else { "f" }]),
            "{role}"
        );
        assert_eq!(lines(&database, role, others).await, set(&["f"]), "{role}");
    }
}

#[tokio::test]
async fn what_people_and_what_servers_say_of_a_vpn_user_have_one_writer_each() {
    let database = database().await;
    let columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'vpn_user'::regclass AND attnum > 0
        AND attempt(format('UPDATE vpn_user SET %I = DEFAULT', attname))";
    let people = [
        "business_status",
        "contact_no",
        "email",
        "full_name",
        "metadata_version",
        "updated_at",
        "user_type",
    ];
    let servers = ["cert_expiry_at", "last_vpn_seen_at", "revoked_at", "updated_at"];
    assert_eq!(lines(&database, "ovt_query_api", columns).await, set(&people));
    assert_eq!(lines(&database, "ovt_session_processor", columns).await, set(&servers));
}

#[tokio::test]
async fn ingest_writes_how_far_a_command_has_come_and_nothing_that_was_asked_for() {
    let database = database().await;
    let columns = |table: &str| {
        format!(
            "SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0
                AND attempt(format('UPDATE {table} SET %I = DEFAULT', attname))"
        )
    };
    let progress = [
        "accepted_at",
        "delivered_at",
        "failed_at",
        "failure",
        "gone_at",
        "reconnected_at",
        "reconnected_session_id",
        "state",
        "stayed_gone_at",
    ];
    assert_eq!(
        lines(&database, "ovt_ingest", &columns("session_command")).await,
        set(&progress)
    );
    assert_eq!(
        lines(&database, "ovt_query_api", &columns("session_command")).await,
        set(&[])
    );
    assert_eq!(
        lines(&database, "ovt_ingest", &columns("vpn_denial")).await,
        set(&["applied_at"])
    );
    assert_eq!(
        lines(&database, "ovt_query_api", &columns("vpn_denial")).await,
        set(&["revoked_at", "revoked_by", "revoked_by_name"])
    );
}

#[tokio::test]
async fn only_auth_sees_what_proves_a_password() {
    let database = database().await;
    let secrets = [
        ("SELECT password_hash FROM portal_user", &["ovt_auth"][..]),
        ("SELECT * FROM portal_user", &["ovt_auth"]),
        ("SELECT secret_sha256 FROM server_api_key", &["ovt_auth", "ovt_ingest"]),
        ("SELECT totp_secret FROM portal_user", &["ovt_auth"]),
        ("SELECT token_sha256 FROM portal_refresh_token", &["ovt_auth"]),
        ("SELECT code_sha256 FROM portal_recovery_code", &["ovt_auth"]),
        ("SELECT rolpassword FROM pg_authid", &[]),
    ];
    for (role, _) in SERVICE_ROLES {
        for (query, readers) in secrets {
            let attempt = format!("SELECT attempt('{query}')");
            let expected = if readers.contains(&role) { "t" } else { "f" };
            assert_eq!(
                lines(&database, role, &attempt).await,
                set(&[expected]),
                "{role}: {query}"
            );
        }
    }
}

#[tokio::test]
async fn a_service_makes_nothing_of_its_own_and_becomes_nobody_else() {
    let database = database().await;
    let owner = database.sql("SELECT current_user").await;
    let forbidden = [
        "CREATE TABLE own (id int)".to_owned(),
        "CREATE FUNCTION own() RETURNS int LANGUAGE sql AS ''SELECT 1''".to_owned(),
        "CREATE SCHEMA own".to_owned(),
        "CREATE ROLE own".to_owned(),
        format!("SET ROLE {owner}"),
        format!("ALTER ROLE {owner} PASSWORD ''own''"),
        "COPY vpn_server TO PROGRAM ''cat''".to_owned(),
        "SELECT pg_read_file(''/etc/passwd'')".to_owned(),
    ];
    for (role, _) in SERVICE_ROLES {
        for statement in &forbidden {
            let attempt = format!("SELECT attempt('{statement}')");
            assert_eq!(
                lines(&database, role, &attempt).await,
                set(&["f"]),
                "{role}: {statement}"
            );
        }
        let partition = "SELECT attempt('SELECT ensure_event_partition(now())')";
        let expected = if role == "ovt_session_processor" { "t" } else { "f" };
        assert_eq!(lines(&database, role, partition).await, set(&[expected]), "{role}");
    }
}

fn set(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(ToString::to_string).collect()
}
