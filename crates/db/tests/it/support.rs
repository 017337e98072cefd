use db::apply::{Applied, KnownUsers, Request, apply};
use db::{DatabaseConfig, Db};
use domain::event::Event;
use domain::timeline::{ServerTimeline, Timeline, timeline};
use sqlx::{AssertSqlSafe, PgPool};
use test_support::TestDatabase;
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-11-21 12:00:00 UTC);

/// A database with registered servers, and a processor's view of it.
pub(crate) struct Bench {
    pub(crate) database: TestDatabase,
    pub(crate) db: Db,
    /// Another view of the same database.
    observer: PgPool,
    pub(crate) known: KnownUsers,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::create().await;
        let config = DatabaseConfig {
            database_url: database.url.clone(),
            database_pool_size: 4,
            database_connect_timeout_seconds: 5,
        };
        let db = Db::connect_for_batches(&config).await.unwrap();
        let observer = PgPool::connect(&database.url).await.unwrap();
        Self {
            database,
            db,
            observer,
            known: KnownUsers::new(1000),
        }
    }

    /// Registers a server; answers its `vpn_server.id`.
    pub(crate) async fn server(&self, name: &str, duplicate_cn: bool) -> i32 {
        let sql = format!("INSERT INTO vpn_server (name, duplicate_cn) VALUES ('{name}', {duplicate_cn}) RETURNING id");
        i32::try_from(self.database.count(&sql).await).unwrap()
    }

    pub(crate) async fn apply(&mut self, requests: &[Request]) -> Applied {
        apply(&self.db, requests, &mut self.known, false).await.unwrap()
    }

    /// The stored sessions of a server and its waiting events, in the shape of the pure timeline.
    pub(crate) async fn stored(&self, server: &str) -> Vec<String> {
        let sql = format!(
            "SELECT concat_ws(' ', u.common_name, s.id, s.connected_at::text, s.last_seen_at::text,
                CASE WHEN s.session_status = 'disconnected' THEN concat(s.ended_by, ' ', s.disconnected_at, ' ', s.end_not_after) ELSE 'open' END,
                coalesce(host(s.real_ip), '-'), coalesce(s.real_port, -1), coalesce(host(s.virtual_ip), '-'),
                coalesce(s.bytes_in, -1), coalesce(s.bytes_out, -1), s.opened_by_snapshot) AS line
            FROM vpn_session s JOIN vpn_user u ON u.id = s.vpn_user_id JOIN vpn_server v ON v.id = s.server_id
            WHERE v.name = '{server}'
            UNION ALL SELECT concat('waits ', w.event_id) FROM unmatched_event w JOIN vpn_server v ON v.id = w.server_id WHERE v.name = '{server}'"
        );
        let mut lines: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_all(&self.observer)
            .await
            .unwrap();
        lines.sort();
        lines
    }
}

/// The same lines from the pure timeline.
pub(crate) fn expected(server: &str, duplicate_cn: bool, events: &[Event]) -> Vec<String> {
    let timeline: Timeline = timeline(
        ServerTimeline {
            server_name: server,
            duplicate_cn,
        },
        events,
    );
    let mut lines: Vec<String> = timeline.unmatched.iter().map(|id| format!("waits {id}")).collect();
    for (name, sessions) in timeline.sessions {
        for session in sessions {
            let end = session.end.map_or("open".to_owned(), |end| {
                format!(
                    "{} {} {}",
                    end.ended_by.as_str(),
                    clock(end.disconnected_at),
                    clock(end.not_after)
                )
            });
            let or = |value: Option<String>, none: &str| value.unwrap_or_else(|| none.to_owned());
            lines.push(format!(
                "{name} {} {} {} {end} {} {} {} {} {} {}",
                session.id,
                clock(session.connected_at),
                clock(session.last_seen_at),
                or(session.real_ip.map(|ip| ip.to_string()), "-"),
                or(session.real_port.map(|port| port.to_string()), "-1"),
                or(session.virtual_ip.map(|ip| ip.to_string()), "-"),
                or(session.bytes_in.total().map(|bytes| bytes.to_string()), "-1"),
                or(session.bytes_out.total().map(|bytes| bytes.to_string()), "-1"),
                if session.opened_by_snapshot { "t" } else { "f" },
            ));
        }
    }
    lines.sort();
    lines
}

/// As PostgreSQL prints a whole second in UTC.
fn clock(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}+00",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

pub(crate) fn request(server_id: i32, server_name: &str, events: Vec<Event>) -> Request {
    Request {
        request_id: Uuid::nil(),
        server_id,
        server_name: server_name.to_owned(),
        boot_id: events.first().and_then(|event| event.boot_id),
        sent_at: None,
        received_at: NOW,
        events,
        rejected_seqs: Vec::new(),
        heartbeat: None,
        inventory: None,
    }
}
