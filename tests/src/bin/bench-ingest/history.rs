//! What happened in a phase, cut into the transactions of a bulk client: which rows each of them writes, and how they are
//! at its end. Computed beforehand, so that the client itself only writes.

use crate::database::Database;

/// Events of one transaction.
pub(crate) const TRANSACTION: usize = 2_000;

/// Lays the history out in a schema `bench` beside the data.
pub(crate) fn prepare(database: &Database) -> anyhow::Result<()> {
    database.sql(&format!(
        "CREATE SCHEMA bench;
        CREATE TABLE bench.event AS
            SELECT ((row_number() OVER (ORDER BY received_at, event_time, event_id) - 1) / {TRANSACTION})::int AS batch, e.*
            FROM vpn_event e;
        CREATE TABLE bench.touch AS
            SELECT batch, session_id, max(event_time) AS seen_at, row_number() OVER own AS version,
                row_number() OVER own = count(*) OVER (PARTITION BY session_id) AS is_last
            FROM bench.event WHERE session_id IS NOT NULL GROUP BY batch, session_id
            WINDOW own AS (PARTITION BY session_id ORDER BY batch);
        CREATE TABLE bench.session AS
            SELECT t.batch, t.version = 1 AS is_first, r.* FROM bench.touch t JOIN vpn_session s ON s.id = t.session_id
            CROSS JOIN LATERAL jsonb_populate_record(s, CASE WHEN t.is_last THEN '{{}}' ELSE jsonb_build_object(
                'session_status', 'active', 'ended_by', NULL, 'disconnected_at', NULL, 'end_not_after', NULL,
                'last_seen_at', greatest(t.seen_at, s.connected_at), 'version', t.version) END) r;
        CREATE TABLE bench.sighting AS
            SELECT batch, vpn_user_id, max(event_time) AS seen_at,
                row_number() OVER (PARTITION BY vpn_user_id ORDER BY batch) = 1 AS is_first
            FROM bench.event WHERE vpn_user_id IS NOT NULL GROUP BY batch, vpn_user_id;
        CREATE TABLE bench.boot AS
            SELECT batch, server_id, boot_id, min(event_time) AS started_at, min(seq) AS lowest_seq, max(seq) AS highest_seq,
                max(event_time) AS last_event_at, max(received_at) AS last_heard_at
            FROM bench.event WHERE boot_id IS NOT NULL GROUP BY batch, server_id, boot_id;
        ANALYZE"
    ))
    .map(drop)
}

/// The rows of a query of `bench` by transaction; its first column is the transaction's number, and is left out.
pub(crate) fn by_transaction(database: &Database, query: &str) -> anyhow::Result<Vec<Vec<String>>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    for line in database.copy_out(query)?.lines() {
        let (batch, row) = line.split_once('\t').unwrap_or((line, ""));
        let batch: usize = batch.parse()?;
        if batches.len() <= batch {
            batches.resize_with(batch + 1, Vec::new);
        }
        batches[batch].push(row.to_owned());
    }
    Ok(batches)
}
