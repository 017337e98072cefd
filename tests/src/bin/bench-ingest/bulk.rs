//! The raw limit: the same rows in the same tables, by one client that does nothing else and knows them all beforehand. New
//! rows are copied straight into their tables, changed ones are copied beside and updated from there.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use crate::database::Database;
use crate::history::by_transaction;
use crate::services::Fleet;

/// The best of these is the limit.
const RUNS: usize = 2;

/// Events a second.
pub(crate) fn measure(fleet: &Fleet, history: &Database) -> anyhow::Result<f64> {
    let script = fleet.directory.join("bench-bulk.sql");
    write_script(history, &mut BufWriter::new(File::create(&script)?))?;
    let events = history.count("SELECT count(*) FROM bench.event")?;
    let mut best: f64 = 0.0;
    for _ in 0..RUNS {
        let database = fleet.database()?;
        prepare(history, &database)?;
        let started = Instant::now();
        database.run_script(&script)?;
        best = best.max(events as f64 / started.elapsed().as_secs_f64());
        check(history, &database)?;
    }
    Ok(best)
}

/// What the processor does once only.
fn prepare(history: &Database, database: &Database) -> anyhow::Result<()> {
    let months = history.sql("SELECT DISTINCT date_trunc('month', event_time) FROM vpn_event")?;
    for month in months.lines() {
        database.sql(&format!("SELECT ensure_event_partition('{month}')"))?;
    }
    database
        .sql("INSERT INTO vpn_server_state (server_id) SELECT id FROM vpn_server")
        .map(drop)
}

/// Else something easier was measured.
fn check(history: &Database, database: &Database) -> anyhow::Result<()> {
    for table in ["vpn_event", "vpn_session", "vpn_user", "server_boot"] {
        let digest = |database: &Database| {
            let column = if table == "vpn_user" {
                "r.common_name || r.last_vpn_seen_at"
            } else {
                "r::text"
            };
            database.sql(&format!("SELECT count(*), sum(hashtext({column})) FROM {table} r"))
        };
        let (theirs, ours) = (digest(database)?, digest(history)?);
        anyhow::ensure!(
            theirs == ours,
            "{table}: the bulk client's rows are {theirs}, ours {ours}"
        );
    }
    Ok(())
}

/// Without statistics on the temporary tables, the planner would read whole tables, and compile that; a good client forbids it.
const BEGINNING: &str =
    "SET jit = off; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
CREATE TEMPORARY TABLE changed (LIKE vpn_session) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE sighting (id bigint, seen_at timestamptz) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE boot (server_id int, boot_id uuid, started_at timestamptz, lowest_seq bigint, highest_seq bigint,
    last_event_at timestamptz, last_heard_at timestamptz) ON COMMIT DELETE ROWS;
";
const SMALL_UPDATES: &str = "UPDATE vpn_user u SET last_vpn_seen_at = n.seen_at FROM sighting n WHERE u.id = n.id;
INSERT INTO server_boot (server_id, boot_id, started_at, lowest_seq, lowest_seq_at, highest_seq, highest_seq_at)
    SELECT server_id, boot_id, started_at, lowest_seq, started_at, highest_seq, last_event_at FROM boot
    ON CONFLICT (server_id, boot_id) DO UPDATE SET highest_seq = excluded.highest_seq, highest_seq_at = excluded.highest_seq_at;
UPDATE vpn_server_state s SET last_heard_at = n.last_heard_at, last_event_at = n.last_event_at,
    last_proof_at = n.last_event_at, boot_id = n.boot_id FROM boot n WHERE s.server_id = n.server_id;
COMMIT;
";

fn write_script(history: &Database, script: &mut impl Write) -> anyhow::Result<()> {
    let (events, sessions) = (history.columns("vpn_event")?, history.columns("vpn_session")?);
    let session_rows = |is_first| {
        let query = format!("SELECT batch, {sessions} FROM bench.session WHERE is_first = {is_first} ORDER BY batch");
        by_transaction(history, &query)
    };
    let copies = [
        (
            "vpn_user (id, common_name, last_vpn_seen_at)".to_owned(),
            by_transaction(
                history,
                "SELECT n.batch, u.id, u.common_name, n.seen_at FROM bench.sighting n JOIN vpn_user u ON u.id = n.vpn_user_id
                WHERE n.is_first ORDER BY n.batch",
            )?,
        ),
        (
            format!("vpn_event ({events})"),
            by_transaction(history, &format!("SELECT batch, {events} FROM bench.event ORDER BY batch, received_at"))?,
        ),
        (format!("vpn_session ({sessions})"), session_rows(true)?),
        (format!("changed ({sessions})"), session_rows(false)?),
        (
            "sighting".to_owned(),
            by_transaction(
                history,
                "SELECT batch, vpn_user_id, seen_at FROM bench.sighting WHERE NOT is_first ORDER BY batch",
            )?,
        ),
        ("boot".to_owned(), by_transaction(history, "SELECT * FROM bench.boot ORDER BY batch")?),
    ];
    let update = update_sessions(&sessions);
    script.write_all(BEGINNING.as_bytes())?;
    for batch in 0..copies[1].1.len() {
        writeln!(script, "BEGIN;")?;
        for (target, batches) in &copies {
            let Some(rows) = batches.get(batch).filter(|rows| !rows.is_empty()) else {
                continue;
            };
            writeln!(script, "COPY {target} FROM STDIN;\n{}\n\\.", rows.join("\n"))?;
        }
        writeln!(script, "{update}{SMALL_UPDATES}")?;
    }
    Ok(script.flush()?)
}

fn update_sessions(columns: &str) -> String {
    let changeable: Vec<&str> = columns.split(", ").filter(|column| *column != "id").collect();
    let assignments: Vec<String> = changeable
        .iter()
        .map(|column| format!("{column} = n.{column}"))
        .collect();
    format!(
        "UPDATE vpn_session s SET {} FROM changed n WHERE s.id = n.id;\n",
        assignments.join(", ")
    )
}
