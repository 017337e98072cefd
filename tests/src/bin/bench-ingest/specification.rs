//! The specification's own way (`TelemetryService` of its architecture document): each event looks its VPN user and its
//! session up, writes both, and commits.

use std::fmt::Write;
use std::fs;
use std::time::Instant;

use crate::database::Database;
use crate::services::Fleet;

/// Enough for a few seconds.
const EVENTS: usize = 6_000;

/// Events a second over one connection.
pub(crate) fn measure(fleet: &Fleet, history: &Database) -> anyhow::Result<f64> {
    // It knows connects and disconnects only.
    let events = history.copy_out(&format!(
        "SELECT e.event_id, e.event_type, u.common_name, e.server_id, s.virtual_ip, s.real_ip, s.real_port, e.event_time,
            row_number() OVER (PARTITION BY u.id ORDER BY e.batch, e.received_at, e.event_time) = 1
        FROM bench.event e JOIN vpn_user u ON u.id = e.vpn_user_id JOIN vpn_session s ON s.id = e.session_id
        WHERE e.event_type IN ('SESSION_CONNECTED', 'SESSION_DISCONNECTED')
        ORDER BY e.batch, e.received_at, e.event_time LIMIT {EVENTS}"
    ))?;
    let script = fleet.directory.join("bench-specification.sql");
    fs::write(
        &script,
        events.lines().map(statements).collect::<anyhow::Result<String>>()?,
    )?;
    let database = fleet.database()?;
    let started = Instant::now();
    database.run_script(&script)?;
    Ok(events.lines().count() as f64 / started.elapsed().as_secs_f64())
}

fn statements(event: &str) -> anyhow::Result<String> {
    let fields: Vec<&str> = event.split('\t').collect();
    let [id, event_type, name, server, virtual_ip, real_ip, real_port, at, is_new] = fields[..] else {
        anyhow::bail!("an event has nine fields, not {}", fields.len());
    };
    let mut sql = "BEGIN;\n".to_owned();
    if event_type == "SESSION_CONNECTED" {
        find_or_create_user(&mut sql, name, at, is_new == "t")?;
        writeln!(
            sql,
            "SELECT * FROM vpn_session WHERE id = '{id}';
            INSERT INTO vpn_session (id, vpn_user_id, server_id, real_ip, real_port, virtual_ip, connected_at, last_seen_at,
                session_status)
            VALUES ('{id}', :user_id, {server}, '{real_ip}', {real_port}, '{virtual_ip}', '{at}', '{at}', 'active');"
        )?;
    } else {
        writeln!(
            sql,
            "SELECT id AS user_id, * FROM vpn_user WHERE common_name = '{name}' LIMIT 1 \\gset
            SELECT id AS session_id, * FROM vpn_session WHERE vpn_user_id = :user_id AND server_id = {server}
                AND virtual_ip = '{virtual_ip}' AND session_status = 'active' ORDER BY connected_at DESC LIMIT 1 \\gset
            UPDATE vpn_session SET disconnected_at = '{at}', end_not_after = '{at}', session_status = 'disconnected',
                ended_by = 'reported', disconnect_reason = 'normal' WHERE id = :'session_id';
            UPDATE vpn_user SET last_vpn_seen_at = '{at}' WHERE id = :user_id;
            SELECT count(*) FROM vpn_session WHERE vpn_user_id = :user_id AND session_status = 'active';"
        )?;
    }
    sql += "COMMIT;\n";
    Ok(sql)
}

fn find_or_create_user(sql: &mut String, name: &str, at: &str, is_new: bool) -> std::fmt::Result {
    if is_new {
        writeln!(
            sql,
            "SELECT * FROM vpn_user WHERE common_name = '{name}' LIMIT 1;
            INSERT INTO vpn_user (common_name, last_vpn_seen_at) VALUES ('{name}', '{at}') RETURNING id AS user_id \\gset"
        )
    } else {
        writeln!(
            sql,
            "SELECT id AS user_id, * FROM vpn_user WHERE common_name = '{name}' LIMIT 1 \\gset
            UPDATE vpn_user SET last_vpn_seen_at = '{at}' WHERE id = :user_id;"
        )
    }
}
