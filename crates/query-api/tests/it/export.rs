//! `GET /api/sessions/export`.

use domain::role::Role;

use calamine::{Data, Reader, Xlsx};
use uuid::Uuid;

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

/// The sheets of a workbook, each with its rows.
fn sheets(bytes: Vec<u8>) -> Vec<(String, Vec<Vec<String>>)> {
    let mut workbook: Xlsx<_> = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let sheets = workbook.worksheets().into_iter();
    sheets
        .map(|(name, range)| {
            let rows = range.rows().map(|row| row.iter().map(Data::to_string).collect());
            (name, rows.collect())
        })
        .collect()
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
        note.starts_with("Complete: sessions with to_date=2026-02-13 sort=connected_at, as of "),
        "{note}"
    );
    assert!(note.ends_with("; 2 sessions, 1 gaps; times are UTC."), "{note}");
}

#[tokio::test]
async fn single_sessions_are_exported_with_the_gaps_of_their_own_time() {
    let rig = Rig::start().await;
    let (server, other, user) = (
        rig.server("vpn-1").await,
        rig.server("vpn-2").await,
        rig.user("jdoe").await,
    );
    for (id, day) in [(1, 13), (2, 14), (3, 15)] {
        Row::session(id, server, user, &format!("2026-02-{day}T12:00:00Z"))
            .ended(&format!("2026-02-{day}T12:30:00Z"))
            .insert(&rig)
            .await;
    }
    rig.database
        .sql(&format!(
            "INSERT INTO event_gap (server_id, boot_id, from_seq, to_seq, after_time, before_time) VALUES
                 ({server}, '00000000-0000-0000-0000-000000000000', 7, 8, '2026-02-13T12:10:00Z', '2026-02-13T12:20:00Z'),
                 ({server}, '00000000-0000-0000-0000-000000000000', 9, 9, '2026-02-15T12:10:00Z', '2026-02-15T12:20:00Z'),
                 ({other}, '00000000-0000-0000-0000-000000000000', 7, 8, '2026-02-13T12:10:00Z', '2026-02-13T12:20:00Z')"
        ))
        .await;
    let id = Uuid::from_u128;
    let rows = export(&rig, &format!("id={},{}&sort=connected_at", id(1), id(2))).await;
    assert_eq!(kinds(&rows), ["record_type", "session", "session", "gap", "end"]);
    let path = format!("/api/sessions/{}/export", id(1));
    let csv = rig
        .get_as(&[Role::Viewer], &format!("{path}?format=csv"))
        .await
        .expect(200);
    assert_eq!(csv.body.lines().filter(|line| line.starts_with("gap,")).count(), 1);
    let json = rig.get_as(&[Role::Viewer], &path).await.expect(200);
    assert!(json.header("content-disposition").unwrap().contains(".json"));
    assert_eq!(json.json()["known_by"]["start"]["source"], "connect_event");
    assert_eq!(
        rig.problem(404, &format!("/api/sessions/{}/export", id(9))).await["error"],
        "not_found"
    );
    let audited = "SELECT count(*) FROM audit_log WHERE action = 'export' AND object_type = 'vpn_session'";
    assert_eq!(rig.database.count(audited).await, 3);
}

#[tokio::test]
async fn a_workbook_has_the_same_rows_in_a_sheet_for_each_kind() {
    let rig = Rig::start().await;
    let (server, user) = (rig.server("vpn-1").await, rig.user("=jdoe & <co>").await);
    Row::session(1, server, user, "2026-02-13T12:00:00Z")
        .with("bytes_in", i64::MAX)
        .insert(&rig)
        .await;
    let (headers, bytes) = rig.download("/api/sessions/export?format=xlsx").await;
    assert_eq!(
        headers["content-type"],
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    );
    assert!(headers["content-disposition"].to_str().unwrap().ends_with(".xlsx\""));
    let sheets = sheets(bytes);
    let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Sessions", "Gaps", "Coverage"]);
    let session = &sheets[0].1[1];
    assert_eq!(session[1], "=jdoe & <co>", "a text is no formula in a workbook");
    assert_eq!(
        session[12],
        i64::MAX.to_string(),
        "exact although Excel's numbers are not"
    );
    assert!(sheets[2].1[1][0].contains("1 sessions, 0 gaps"), "{:?}", sheets[2]);
    let (_, users) = rig.download("/api/vpn-users/export?format=xlsx").await;
    assert_eq!(self::sheets(users)[0].1[1][1], "=jdoe & <co>");
}

#[tokio::test]
async fn vpn_users_are_exported_with_the_filters_of_their_list() {
    let rig = Rig::start().await;
    for name in ["alice", "bob", "carol"] {
        rig.user(name).await;
    }
    rig.database
        .sql(
            "UPDATE vpn_user SET cert_expiry_at = now() + interval '5 days' WHERE common_name = 'alice';
             UPDATE vpn_user SET cert_expiry_at = now() + interval '50 days', revoked_at = now() WHERE common_name = 'bob'",
        )
        .await;
    let names = async |query: &str| {
        let reply = rig
            .get_as(&[Role::Operator], &format!("/api/vpn-users/export?{query}"))
            .await
            .expect(200);
        let mut reader = csv::ReaderBuilder::new().from_reader(reply.body.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(&records.last().unwrap()[0], "end");
        let users = records.iter().filter(|record| &record[0] == "vpn_user");
        users.map(|record| record[2].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["alice", "bob", "carol"]);
    assert_eq!(names("cert_expires_within_days=30").await, ["alice"]);
    assert_eq!(names("cert_expires_within_days=60&revoked=true").await, ["bob"]);
    assert_eq!(names("last_seen=never&search=carol").await, ["carol"]);
    rig.refuses(
        "/api/vpn-users/export?last_seen=7d&last_seen_from=2026-02-13",
        "invalid_parameter",
        "last_seen",
    )
    .await;
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
        ("format=pdf", "format"),
        ("id=1", "id"),
        ("sort=bytes_in", "sort"),
        ("status=on", "status"),
    ] {
        rig.refuses(&format!("/api/sessions/export?{query}"), "invalid_parameter", parameter)
            .await;
    }
    rig.refuses("/api/sessions/export?page=1", "unknown_parameter", "page")
        .await;
}
