//! `GET /api/sessions/export`.

use domain::role::Role;

use crate::rig::{Rig, Row};

async fn export(rig: &Rig, query: &str) -> Vec<Vec<String>> {
    let reply = rig
        .get_as(&[Role::Auditor], &format!("/api/sessions/export?{query}"))
        .await
        .expect(200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/csv; charset=utf-8; header=present")
    );
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(reply.body.as_bytes());
    reader
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

fn cell<'r>(rows: &'r [Vec<String>], row: usize, column: &str) -> &'r str {
    let column = rows[0].iter().position(|name| name == column).unwrap();
    &rows[row][column]
}

fn kinds(rows: &[Vec<String>]) -> Vec<&str> {
    rows.iter().map(|row| row[0].as_str()).collect()
}

#[tokio::test]
async fn an_export_has_every_session_then_the_gaps_that_touch_it_and_its_end() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("jdoe").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z")
        .ended("2026-02-13T12:30:00Z")
        .insert(&rig)
        .await;
    Row::session(2, server, user, "2026-02-13T13:00:00Z")
        .with("virtual_ip", "10.8.0.2")
        .insert(&rig)
        .await;
    Row::session(3, server, user, "2026-02-15T13:00:00Z").insert(&rig).await;
    rig.database
        .sql(
            "INSERT INTO event_gap (server_id, boot_id, from_seq, to_seq, after_time, before_time) VALUES
                 (1, '00000000-0000-0000-0000-0000000000b0', 7, 8, '2026-02-13T12:10:00Z', '2026-02-13T12:20:00Z'),
                 (1, '00000000-0000-0000-0000-0000000000b0', 70, 80, '2026-02-20T12:10:00Z', '2026-02-20T12:20:00Z')",
        )
        .await;
    let rows = export(&rig, "format=csv&to_date=2026-02-13&sort=connected_at").await;
    assert_eq!(kinds(&rows), ["record_type", "session", "session", "gap", "end"]);
    assert_eq!(cell(&rows, 1, "disconnected_at_utc"), "2026-02-13T12:30:00.000Z");
    assert_eq!(
        (cell(&rows, 1, "bytes_in"), cell(&rows, 1, "ended_by")),
        ("", "reported"),
        "unknown is empty, not 0"
    );
    assert_eq!(
        (cell(&rows, 2, "virtual_ip"), cell(&rows, 2, "server_instance")),
        ("10.8.0.2", "vpn-1")
    );
    assert_eq!(
        (cell(&rows, 3, "gap_from_seq"), cell(&rows, 3, "gap_missing_events")),
        ("7", "2")
    );
    let note = cell(&rows, 4, "note");
    assert!(
        note.starts_with("Complete: sessions with format=csv to_date=2026-02-13 sort=connected_at, as of "),
        "{note}"
    );
    assert!(note.ends_with("; 2 sessions, 1 gaps; times are UTC."), "{note}");
}

#[tokio::test]
async fn cells_that_a_spreadsheet_would_run_are_neutralised() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("=HYPERLINK(\"http://evil\")").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z")
        .with("username", "@SUM(A1),\"x\"")
        .insert(&rig)
        .await;
    let rows = export(&rig, "").await;
    assert_eq!(cell(&rows, 1, "common_name"), "'=HYPERLINK(\"http://evil\")");
    assert_eq!(cell(&rows, 1, "username"), "'@SUM(A1),\"x\"");
}

#[tokio::test]
async fn an_export_without_a_match_still_says_what_it_covers() {
    let rig = Rig::start().await;
    assert_eq!(kinds(&export(&rig, "search=nobody").await), ["record_type", "end"]);
}

#[tokio::test]
async fn an_export_takes_the_filters_of_the_list_and_its_strictness() {
    let rig = Rig::start().await;
    for (query, parameter) in [
        ("format=xlsx", "format"),
        ("sort=bytes_in", "sort"),
        ("status=on", "status"),
    ] {
        rig.refuses(&format!("/api/sessions/export?{query}"), "invalid_parameter", parameter)
            .await;
    }
    rig.refuses("/api/sessions/export?page=1", "unknown_parameter", "page")
        .await;
}
