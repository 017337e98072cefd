use db::usage::{Since, all_blocks, changed_in_blocks, changed_recently, count};
use domain::event::{Event, EventType, SessionFacts};
use domain::history::{Shape, draw};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::support::{Bench, request};

const START: OffsetDateTime = datetime!(2026-11-21 09:30:00 UTC);
const SESSION: Uuid = Uuid::from_u128(1);

fn event(id: u128, event_type: EventType, minute: i64, bytes: Option<(u64, u64)>) -> Event {
    let facts = SessionFacts {
        common_name: "jdoe".to_owned(),
        session_id: (id != 1).then_some(SESSION),
        bytes_in: bytes.map(|bytes| bytes.0),
        bytes_out: bytes.map(|bytes| bytes.1),
        ..SessionFacts::default()
    };
    Event {
        event_id: Uuid::from_u128(id),
        event_type,
        event_time: START + Duration::minutes(minute),
        seq: None,
        boot_id: None,
        sessions: vec![facts],
    }
}

fn connect() -> Event {
    event(1, EventType::SessionConnected, 0, None)
}

fn update(id: u128, minute: i64, bytes: (u64, u64)) -> Event {
    event(id, EventType::SessionUpdated, minute, Some(bytes))
}

async fn hours(bench: &Bench) -> Vec<String> {
    let sql = "SELECT to_char(hour AT TIME ZONE 'UTC', 'HH24'), bytes_in, bytes_out FROM usage_hour ORDER BY session_id, hour";
    let rows = bench.database.sql(sql).await;
    rows.lines().map(str::to_owned).collect()
}

async fn count_all(bench: &Bench) -> u64 {
    let blocks = all_blocks(&bench.db).await.unwrap();
    let changed = changed_in_blocks(&bench.db, None, 0, blocks).await.unwrap();
    let sessions: Vec<_> = changed.iter().map(|one| (one.id, Since::WholeLife)).collect();
    count(&bench.db, &sessions).await.unwrap()
}

async fn bench_with(events: Vec<Event>) -> (Bench, i32) {
    let mut bench = Bench::new().await;
    let server = bench.server("vpn-1", false).await;
    bench.apply(&[request(server, "vpn-1", events)]).await;
    (bench, server)
}

#[tokio::test]
async fn bytes_are_spread_evenly_between_two_readings() {
    let (bench, _) = bench_with(vec![
        connect(),
        update(2, 60, (1_001, 100)),
        event(3, EventType::SessionDisconnected, 90, Some((4_001, 100))),
    ])
    .await;
    assert_eq!(count_all(&bench).await, 2);
    assert_eq!(hours(&bench).await, ["09|500|50", "10|3501|50"]);
    assert_eq!(count_all(&bench).await, 0, "nothing has changed");
}

#[tokio::test]
async fn a_reset_counts_from_zero_again_and_an_end_without_count_adds_nothing() {
    let (bench, _) = bench_with(vec![
        connect(),
        update(2, 10, (1_000, 0)),
        update(3, 20, (300, 0)),
        event(4, EventType::SessionDisconnected, 29, None),
    ])
    .await;
    count_all(&bench).await;
    assert_eq!(hours(&bench).await, ["09|1300|0"]);
}

#[tokio::test]
async fn a_late_reading_moves_bytes_to_the_hour_in_which_they_flowed() {
    let (mut bench, server) = bench_with(vec![connect(), update(2, 90, (9_000, 90))]).await;
    count_all(&bench).await;
    assert_eq!(hours(&bench).await, ["09|3000|30", "10|6000|60"]);
    bench
        .apply(&[request(server, "vpn-1", vec![update(3, 30, (9_000, 60))])])
        .await;
    count_all(&bench).await;
    assert_eq!(hours(&bench).await, ["09|9000|60", "10|0|30"]);
}

#[tokio::test]
async fn counting_the_latest_hours_comes_to_the_same_as_counting_whole_lives() {
    let (mut bench, server) = bench_with(vec![connect()]).await;
    let mut last = START;
    for step in 1..=20_i64 {
        let bytes = u64::try_from(step * step * 1_001 % 7_000).unwrap();
        let reading = update(u128::try_from(step + 1).unwrap(), step * 17, (bytes, bytes / 3));
        let at = reading.event_time;
        bench.apply(&[request(server, "vpn-1", vec![reading])]).await;
        count(&bench.db, &[(SESSION, Since::Hour(last))]).await.unwrap();
        last = at;
    }
    let step_by_step = hours(&bench).await;
    assert_eq!(
        count_all(&bench).await,
        0,
        "{step_by_step:?} became {:?}",
        hours(&bench).await
    );
    assert_eq!(step_by_step.len(), 7);
}

#[tokio::test]
async fn the_hours_of_a_session_that_never_was_go_with_it() {
    let (bench, _) = bench_with(vec![connect(), update(2, 10, (1_000, 0))]).await;
    count_all(&bench).await;
    bench.database.sql("DELETE FROM vpn_session").await;
    assert!(hours(&bench).await.is_empty());
    let gone = [(SESSION, Since::WholeLife)];
    assert_eq!(count(&bench.db, &gone).await.unwrap(), 0);
}

#[tokio::test]
async fn the_hours_of_random_sessions_add_up_to_what_the_sessions_say() {
    let mut bench = Bench::new().await;
    for seed in 0..25 {
        let name = format!("vpn-{seed}");
        let server = bench.server(&name, seed % 2 == 0).await;
        for batch in draw(Shape::new(seed, 40)).chunks(7) {
            bench.apply(&[request(server, &name, batch.to_vec())]).await;
        }
    }
    count_all(&bench).await;
    let wrong = "SELECT s.id, s.bytes_in, s.bytes_out, u.* FROM vpn_session s LEFT JOIN LATERAL (
            SELECT coalesce(sum(bytes_in), 0) AS flowed_in, coalesce(sum(bytes_out), 0) AS flowed_out FROM usage_hour WHERE session_id = s.id) u ON true
        WHERE coalesce(s.bytes_in, 0) <> flowed_in OR coalesce(s.bytes_out, 0) <> flowed_out";
    assert_eq!(bench.database.sql(wrong).await, "");
    assert!(bench.database.count("SELECT count(*) FROM usage_hour").await > 50);
}

#[tokio::test]
async fn what_has_changed_is_found() {
    let (mut bench, server) = bench_with(vec![connect()]).await;
    let since = OffsetDateTime::UNIX_EPOCH;
    let found = changed_recently(&bench.db, since).await.unwrap();
    assert_eq!((found.len(), found[0].id, found[0].is_open), (1, SESSION, true));
    assert_eq!(
        found[0].uncounted_from,
        Some(since),
        "without bytes there is nothing to count"
    );
    bench
        .apply(&[request(server, "vpn-1", vec![update(3, 4, (1_000, 0))])])
        .await;
    let uncounted_from = changed_recently(&bench.db, since).await.unwrap()[0].uncounted_from;
    assert_eq!(
        uncounted_from,
        Some(connect().event_time),
        "it was never counted, however long it has gone on"
    );
    let end = event(2, EventType::SessionDisconnected, 5, None);
    bench.apply(&[request(server, "vpn-1", vec![end])]).await;
    let blocks = all_blocks(&bench.db).await.unwrap();
    let found = changed_in_blocks(&bench.db, Some(since), 0, blocks).await.unwrap();
    assert_eq!((found.len(), found[0].version, found[0].is_open), (1, 3, false));
    let later = Some(datetime!(9999-01-01 0:00 UTC));
    assert!(changed_in_blocks(&bench.db, later, 0, blocks).await.unwrap().is_empty());
}
