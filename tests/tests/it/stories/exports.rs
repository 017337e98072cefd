//! The export holds what the list shows, to the last row, and says what it covers and what is missing.

use std::collections::HashMap;

use serde_json::Value;
use test_support::Stack;

use super::stack;

/// A row of the export by the names of its columns.
pub(super) type Row = HashMap<String, String>;

/// The rows of the export for this query.
pub(super) async fn export(stack: &Stack, query: &str) -> Vec<Row> {
    let reply = stack
        .api()
        .try_get(&format!("/api/sessions/export?format=csv&{query}"))
        .await
        .expect(200);
    assert!(
        reply
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/csv"))
    );
    let rows: Result<Vec<Row>, _> = csv::Reader::from_reader(reply.body.as_bytes())
        .into_deserialize()
        .collect();
    rows.unwrap_or_else(|error| panic!("the export is no CSV ({error}): {}", reply.body))
}

pub(super) fn of_type<'a>(rows: &'a [Row], record_type: &str) -> impl Iterator<Item = &'a Row> {
    rows.iter().filter(move |row| row["record_type"] == record_type)
}

/// Columns of the export and the fields of the list that they hold.
const SAME: [(&str, &str); 14] = [
    ("session_id", "id"),
    ("common_name", "common_name"),
    ("server_instance", "server_instance"),
    ("session_status", "session_status"),
    ("connected_at_utc", "connected_at"),
    ("last_seen_at_utc", "last_seen_at"),
    ("disconnected_at_utc", "disconnected_at"),
    ("end_not_after_utc", "end_not_after"),
    ("ended_by", "ended_by"),
    ("bytes_in", "bytes_in"),
    ("bytes_out", "bytes_out"),
    ("real_ip", "real_ip"),
    ("real_port", "real_port"),
    ("virtual_ip", "virtual_ip"),
];

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

async fn a_busy_day(stack: &Stack) {
    let (one, other) = (stack.agent("vpn-1"), stack.agent("vpn-2"));
    for hour in 10..16 {
        let name = format!("user-{hour}");
        one.connects(&name)
            .bytes(hour, 2 * hour)
            .at(&format!("{hour}:00:00"))
            .await;
        other.connects(&name).at(&format!("{hour}:30:00")).await;
    }
    one.disconnects("user-11").bytes(1_000, 2_000).at("11:59:59").await;
    other.server_stopped().at("14:00:00").await;
}

#[tokio::test]
async fn the_export_holds_the_rows_of_the_list_whatever_the_filter() {
    let stack = stack().await;
    a_busy_day(&stack).await;
    for (query, sessions) in [
        ("sort=connected_at", 12),
        ("server_instance=vpn-2", 6),
        ("status=disconnected", 5),
        ("from_date=2026-02-13T11:00:00Z&to_date=2026-02-13T12:30:00Z", 4),
        ("search=user-12", 2),
        ("ip=10.8.0.4/31", 4),
    ] {
        let list = stack.api().get(&format!("/api/sessions?{query}")).await;
        let rows = export(&stack, query).await;
        let listed = list["sessions"].as_array().expect("a list");
        let exported: Vec<_> = of_type(&rows, "session").collect();
        assert_eq!((listed.len(), exported.len()), (sessions, sessions), "{query}");
        for (listed, exported) in listed.iter().zip(exported) {
            for (column, field) in SAME {
                assert_eq!(exported[column], text(&listed[field]), "{column} of {listed}");
            }
        }
        let end = rows.last().expect("an end");
        assert_eq!(end["record_type"], "end");
        assert!(end["note"].contains(&format!("{sessions} sessions, 0 gaps")), "{end:?}");
    }
}

#[tokio::test]
async fn a_name_that_a_spreadsheet_would_run_is_neutralised() {
    let stack = stack().await;
    stack.agent("vpn-1").connects("=HYPERLINK(\"http://evil\")").await;
    let rows = export(&stack, "").await;
    let session = of_type(&rows, "session").next().expect("a session");
    assert_eq!(session["common_name"], "'=HYPERLINK(\"http://evil\")");
}
