//! What is stored against what was sent.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::event::BytesSource;
use domain::session::Session;
use domain::timeline::{ServerTimeline, timeline};
use test_support::{Stack, TestDatabase, eventually, eventually_within};
use time::OffsetDateTime;

use super::delivery::History;
use super::live_sessions;

/// Longer than JetStream takes to deliver again what a killed processor had in hand.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until everything sent is processed, then asserts: nothing lost, nothing doubled, nothing refused, the sessions are
/// those that the pure timeline gives, and the live cache lists the open ones.
pub(super) async fn assert_all_is_stored(stack: &Stack, histories: &[History]) {
    let database = stack.database();
    let sent: BTreeSet<String> = histories
        .iter()
        .flat_map(|history| &history.events)
        .map(|event| event.event_id.to_string())
        .collect();
    let expected = i64::try_from(sent.len()).expect("not that many");
    eventually_within(PATIENCE, "all events to be stored", async || {
        (database.count("SELECT count(*) FROM vpn_event").await >= expected).then_some(())
    })
    .await;
    let ids = database.sql("SELECT event_id FROM vpn_event").await;
    let stored: Vec<String> = ids.lines().map(str::to_owned).collect();
    assert_eq!(stored.len(), sent.len(), "some events are stored twice");
    assert_eq!(BTreeSet::from_iter(stored), sent, "lost, or never sent");
    assert_eq!(database.count("SELECT count(*) FROM dead_letter").await, 0);
    for history in histories {
        assert_sessions(database, history).await;
    }
    let rebuilt = stack.run("session-processor", &["rebuild"]).await;
    assert!(rebuilt.contains("0 sessions differ"), "{rebuilt}");
    assert_live_cache(stack).await;
}

/// The live cache lists the open sessions and no other.
pub(super) async fn assert_live_cache(stack: &Stack) {
    let sql = "SELECT id FROM vpn_session WHERE session_status = 'active'";
    let mut last = (Vec::new(), Vec::new());
    let same = eventually("the live cache to list the open sessions", async || {
        let listed = live_sessions(stack).await;
        let mut open: Vec<String> = stack.database().sql(sql).await.lines().map(str::to_owned).collect();
        open.sort();
        last = (listed, open);
        (last.0 == last.1).then_some(())
    });
    same.await;
}

async fn assert_sessions(database: &TestDatabase, history: &History) {
    let (stored, expected) = (stored_lines(database, &history.server).await, expected_lines(history));
    let wrong: Vec<_> = stored.difference(&expected).collect();
    let missing: Vec<_> = expected.difference(&stored).collect();
    let server = &history.server;
    assert!(
        wrong.is_empty() && missing.is_empty(),
        "{server}: stored {wrong:#?}, expected {missing:#?}"
    );
}

/// A line for each session and each waiting event. Times in seconds; whether an open session has timed out is not the
/// timeline's to say.
async fn stored_lines(database: &TestDatabase, server: &str) -> BTreeSet<String> {
    let seconds = |column: &str| format!("extract(epoch FROM s.{column})::bigint");
    let sql = format!(
        "SELECT concat_ws(' ', u.common_name, s.id, {connected}, {seen},
            CASE WHEN s.session_status = 'disconnected' THEN concat_ws(' ', s.ended_by, {end}, {not_after}) ELSE 'open' END,
            coalesce(host(s.real_ip), '-'), coalesce(s.real_port, -1), coalesce(host(s.virtual_ip), '-'),
            coalesce(s.bytes_in, -1), coalesce(s.bytes_out, -1), coalesce(s.bytes_source::text, '-'), s.opened_by_snapshot::text)
        FROM vpn_session s JOIN vpn_user u ON u.id = s.vpn_user_id JOIN vpn_server v ON v.id = s.server_id
        WHERE v.name = '{server}'
        UNION ALL SELECT concat('waits ', w.event_id)
        FROM unmatched_event w JOIN vpn_server v ON v.id = w.server_id WHERE v.name = '{server}'",
        connected = seconds("connected_at"),
        seen = seconds("last_seen_at"),
        end = seconds("disconnected_at"),
        not_after = seconds("end_not_after"),
    );
    database.sql(&sql).await.lines().map(str::to_owned).collect()
}

fn expected_lines(history: &History) -> BTreeSet<String> {
    let server = ServerTimeline {
        server_name: &history.server,
        duplicate_cn: history.duplicate_cn,
    };
    let timeline = timeline(server, &history.events);
    let waiting = timeline.unmatched.iter().map(|id| format!("waits {id}"));
    let of_name = |(name, sessions): (&String, &Vec<Session>)| {
        sessions.iter().map(|session| line(name, session)).collect::<Vec<_>>()
    };
    waiting.chain(timeline.sessions.iter().flat_map(of_name)).collect()
}

fn line(common_name: &str, session: &Session) -> String {
    let seconds = OffsetDateTime::unix_timestamp;
    let end = session.end.map_or("open".to_owned(), |end| {
        let (at, not_after) = (seconds(end.disconnected_at), seconds(end.not_after));
        format!("{} {at} {not_after}", end.ended_by.as_str())
    });
    format!(
        "{common_name} {} {} {} {end} {} {} {} {} {} {} {}",
        session.id,
        seconds(session.connected_at),
        seconds(session.last_seen_at),
        or(session.real_ip, "-"),
        or(session.real_port, "-1"),
        or(session.virtual_ip, "-"),
        or(session.bytes_in.total(), "-1"),
        or(session.bytes_out.total(), "-1"),
        or(session.bytes_source.map(BytesSource::as_str), "-"),
        session.opened_by_snapshot,
    )
}

fn or<T: ToString>(value: Option<T>, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |value| value.to_string())
}
