//! Reads of the processor's path: which stored sessions something new may concern. Each is driven from the batch.

use std::collections::HashMap;
use std::net::IpAddr;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

use super::record::{COLUMNS, SessionRecord};
use crate::{Db, Error};

/// A VPN user on a VPN server.
pub(super) type TrackKey = (i32, i64);

fn split(tracks: &[TrackKey]) -> (Vec<i32>, Vec<i64>) {
    tracks.iter().copied().unzip()
}

async fn fetch<'q>(
    connection: &mut PgConnection,
    query: sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>,
) -> Result<Vec<SessionRecord>, Error> {
    query
        .fetch_all(connection)
        .await?
        .iter()
        .map(SessionRecord::read)
        .collect()
}

/// The open sessions of each track, and the one that connected last.
pub(super) async fn heads(connection: &mut PgConnection, tracks: &[TrackKey]) -> Result<Vec<SessionRecord>, Error> {
    let (servers, users) = split(tracks);
    let sql = format!(
        "SELECT {COLUMNS} FROM unnest($1::int[], $2::bigint[]) AS t (server_id, vpn_user_id) CROSS JOIN LATERAL (
            (SELECT * FROM vpn_session o WHERE o.server_id = t.server_id AND o.vpn_user_id = t.vpn_user_id
                AND o.session_status <> 'disconnected')
            UNION ALL
            (SELECT * FROM (SELECT * FROM vpn_session l WHERE l.vpn_user_id = t.vpn_user_id AND l.server_id = t.server_id
                ORDER BY l.connected_at DESC, l.id DESC LIMIT 1) latest WHERE latest.session_status = 'disconnected')
        ) s"
    );
    fetch(connection, sqlx::query(AssertSqlSafe(sql)).bind(servers).bind(users)).await
}

/// Sessions by id.
pub(super) async fn by_ids(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<SessionRecord>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {COLUMNS} FROM vpn_session s WHERE s.id = ANY($1)");
    fetch(connection, sqlx::query(AssertSqlSafe(sql)).bind(ids)).await
}

/// An update or disconnect that names its session by address only.
pub(super) struct ByAddress {
    pub(super) track: TrackKey,
    pub(super) virtual_ip: Option<IpAddr>,
    pub(super) virtual_ip6: Option<IpAddr>,
}

/// The last session of each track that had the address.
pub(super) async fn latest_with_address(
    connection: &mut PgConnection,
    wanted: &[ByAddress],
) -> Result<Vec<SessionRecord>, Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (servers, users) = split(&wanted.iter().map(|one| one.track).collect::<Vec<_>>());
    let sql = format!(
        "SELECT {COLUMNS} FROM unnest($1::int[], $2::bigint[], $3::inet[], $4::inet[]) AS t (server_id, vpn_user_id, ip, ip6)
        CROSS JOIN LATERAL (SELECT * FROM vpn_session l
            WHERE l.vpn_user_id = t.vpn_user_id AND l.server_id = t.server_id
                AND (t.ip IS NULL OR l.virtual_ip = t.ip) AND (t.ip6 IS NULL OR l.virtual_ip6 = t.ip6)
            ORDER BY l.connected_at DESC, l.id DESC LIMIT 1) s"
    );
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(servers)
        .bind(users)
        .bind(wanted.iter().map(|one| one.virtual_ip).collect::<Vec<_>>())
        .bind(wanted.iter().map(|one| one.virtual_ip6).collect::<Vec<_>>());
    fetch(connection, query).await
}

/// The users with an open session on any of these servers.
pub(super) async fn users_with_open_sessions(
    connection: &mut PgConnection,
    servers: &[i32],
) -> Result<Vec<TrackKey>, Error> {
    let sql = "SELECT DISTINCT server_id, vpn_user_id FROM vpn_session
        WHERE server_id = ANY($1) AND session_status <> 'disconnected'";
    keys(&sqlx::query(sql).bind(servers).fetch_all(connection).await?)
}

/// The users of a server with a session that was open at or after `from`, or ended so shortly before that it may matter.
pub(super) async fn users_with_sessions_since(
    connection: &mut PgConnection,
    server: i32,
    from: OffsetDateTime,
    before: OffsetDateTime,
) -> Result<Vec<TrackKey>, Error> {
    let sql = "SELECT DISTINCT server_id, vpn_user_id FROM vpn_session
        WHERE server_id = $1 AND connected_at <= $3 AND session_status <> 'disconnected'
        UNION SELECT server_id, vpn_user_id FROM vpn_session
        WHERE server_id = $1 AND connected_at <= $3 AND end_not_after >= $2";
    let from = from.saturating_sub(domain::timeline::GRACE);
    keys(
        &sqlx::query(sql)
            .bind(server)
            .bind(from)
            .bind(before)
            .fetch_all(connection)
            .await?,
    )
}

fn keys(rows: &[PgRow]) -> Result<Vec<TrackKey>, Error> {
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A connect, as far as others must know of it.
pub(super) struct Connect {
    pub(super) track: TrackKey,
    pub(super) at: OffsetDateTime,
    pub(super) virtual_ip: Option<IpAddr>,
    pub(super) virtual_ip6: Option<IpAddr>,
}

/// Other users who hold an address that a connect takes. For servers whose new events all come after everything known.
pub(super) async fn holders(connection: &mut PgConnection, connects: &[&Connect]) -> Result<Vec<TrackKey>, Error> {
    let sql = "SELECT s.server_id, s.vpn_user_id FROM unnest($1::int[], $2::bigint[], $3::inet[]) AS t (server_id, vpn_user_id, ip)
            JOIN LATERAL (SELECT server_id, vpn_user_id FROM vpn_session o WHERE o.server_id = t.server_id
                AND o.virtual_ip = t.ip AND o.session_status <> 'disconnected') s ON s.vpn_user_id <> t.vpn_user_id
        UNION ALL
        SELECT s.server_id, s.vpn_user_id FROM unnest($1::int[], $2::bigint[], $4::inet[]) AS t (server_id, vpn_user_id, ip)
            JOIN LATERAL (SELECT server_id, vpn_user_id FROM vpn_session o WHERE o.server_id = t.server_id
                AND o.virtual_ip6 = t.ip AND o.virtual_ip6 IS NOT NULL AND o.session_status <> 'disconnected') s
                ON s.vpn_user_id <> t.vpn_user_id";
    if connects.is_empty() {
        return Ok(Vec::new());
    }
    let (servers, users) = split(&connects.iter().map(|one| one.track).collect::<Vec<_>>());
    let rows = sqlx::query(sql)
        .bind(servers)
        .bind(users)
        .bind(connects.iter().map(|one| one.virtual_ip).collect::<Vec<_>>())
        .bind(connects.iter().map(|one| one.virtual_ip6).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    keys(&rows)
}

/// How many earlier holders of an address a late connect looks at; only contradictory reports make more than one matter.
const HOLDERS: i64 = 16;

/// For late connects: the index of the connect, and another user who held its address at its time or took it afterwards.
pub(super) async fn holders_around(
    connection: &mut PgConnection,
    connects: &[&Connect],
) -> Result<Vec<(usize, TrackKey)>, Error> {
    let mut found = Vec::new();
    for column in ["virtual_ip", "virtual_ip6"] {
        let address = |one: &Connect| {
            if column == "virtual_ip" {
                one.virtual_ip
            } else {
                one.virtual_ip6
            }
        };
        let known: Vec<usize> = (0..connects.len())
            .filter(|index| address(connects[*index]).is_some())
            .collect();
        if known.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT t.ord, s.server_id, s.vpn_user_id
            FROM unnest($1::int[], $2::bigint[], $3::inet[], $4::timestamptz[], $5::bigint[]) AS t (server_id, vpn_user_id, ip, at, ord)
            CROSS JOIN LATERAL (
                (SELECT o.server_id, o.vpn_user_id FROM (SELECT * FROM vpn_session p WHERE p.{column} = t.ip
                    AND p.server_id = t.server_id AND p.connected_at <= t.at ORDER BY p.connected_at DESC LIMIT {HOLDERS}) o
                    WHERE o.session_status <> 'disconnected' OR o.end_not_after >= t.at)
                UNION
                (SELECT n.server_id, n.vpn_user_id FROM vpn_session n WHERE n.{column} = t.ip AND n.server_id = t.server_id
                    AND n.connected_at >= t.at ORDER BY n.connected_at LIMIT {HOLDERS})
            ) s WHERE s.vpn_user_id <> t.vpn_user_id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(known.iter().map(|index| connects[*index].track.0).collect::<Vec<_>>())
            .bind(known.iter().map(|index| connects[*index].track.1).collect::<Vec<_>>())
            .bind(known.iter().map(|index| address(connects[*index])).collect::<Vec<_>>())
            .bind(known.iter().map(|index| connects[*index].at).collect::<Vec<_>>())
            .bind(
                known
                    .iter()
                    .map(|index| i64::try_from(*index).unwrap_or(i64::MAX))
                    .collect::<Vec<_>>(),
            )
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            let index = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
            found.push((index, (row.try_get(1)?, row.try_get(2)?)));
        }
    }
    Ok(found)
}

/// How far each track has come: its latest event, or the latest end of one of its sessions.
pub(super) async fn watermarks(
    connection: &mut PgConnection,
    tracks: &[TrackKey],
) -> Result<Vec<(TrackKey, Option<OffsetDateTime>)>, Error> {
    let (servers, users) = split(tracks);
    let sql = "SELECT t.server_id, t.vpn_user_id, greatest(
            (SELECT e.event_time FROM vpn_event e WHERE e.server_id = t.server_id AND e.vpn_user_id = t.vpn_user_id
                ORDER BY e.event_time DESC LIMIT 1),
            (SELECT max(s.end_not_after) FROM vpn_session s WHERE s.vpn_user_id = t.vpn_user_id AND s.server_id = t.server_id))
        FROM unnest($1::int[], $2::bigint[]) AS t (server_id, vpn_user_id)";
    let rows = sqlx::query(sql).bind(servers).bind(users).fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)))
        .collect()
}

/// Tracks with events that wait for their session, and the time of the earliest of them.
pub(super) async fn waiting(
    connection: &mut PgConnection,
    tracks: &[TrackKey],
) -> Result<Vec<(TrackKey, OffsetDateTime)>, Error> {
    if tracks.is_empty() {
        return Ok(Vec::new());
    }
    let (servers, users) = split(tracks);
    let sql = "SELECT t.server_id, t.vpn_user_id, u.event_time FROM unnest($1::int[], $2::bigint[]) AS t (server_id, vpn_user_id)
        CROSS JOIN LATERAL (SELECT event_time FROM unmatched_event w WHERE w.server_id = t.server_id
            AND w.vpn_user_id = t.vpn_user_id ORDER BY event_time LIMIT 1) u";
    let rows = sqlx::query(sql).bind(servers).bind(users).fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok(((row.try_get(0)?, row.try_get(1)?), row.try_get(2)?)))
        .collect()
}

/// Every session of the servers that something since `since` may have changed: those that are open, and those that ended
/// later. For batches that come again, because nobody knows how far the first attempt has told its changes.
pub(super) async fn changed_since(
    connection: &mut PgConnection,
    servers: &[i32],
    since: OffsetDateTime,
) -> Result<Vec<SessionRecord>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM vpn_session s WHERE s.server_id = ANY($1) AND s.session_status <> 'disconnected'
        UNION ALL SELECT {COLUMNS} FROM vpn_session s WHERE s.server_id = ANY($1) AND s.end_not_after >= $2"
    );
    fetch(
        connection,
        sqlx::query(AssertSqlSafe(sql))
            .bind(servers)
            .bind(since.saturating_sub(domain::timeline::GRACE)),
    )
    .await
}

/// The common names of users.
pub(super) async fn names(connection: &mut PgConnection, users: &[i64]) -> Result<HashMap<i64, String>, Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT id, common_name FROM vpn_user WHERE id = ANY($1)";
    let rows = sqlx::query(sql).bind(users).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// A stored session with its server's and its user's name.
pub type NamedSession = (SessionRecord, String, String);

/// Every open session, to fill the live cache: in pages, by id after `after`.
pub async fn open_sessions(db: &Db, after: Uuid, limit: i64) -> Result<Vec<NamedSession>, Error> {
    let sql = named("s.session_status <> 'disconnected' AND s.id > $1 ORDER BY s.id LIMIT $2");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(limit);
    read_named(&query.fetch_all(db.connection.get_postgres_connection_pool()).await?)
}

/// Sessions by id; those that are not stored are missing.
pub async fn sessions_by_ids(db: &Db, ids: &[Uuid]) -> Result<Vec<NamedSession>, Error> {
    let sql = named("s.id = ANY($1)");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(ids);
    read_named(&query.fetch_all(db.connection.get_postgres_connection_pool()).await?)
}

fn named(condition: &str) -> String {
    format!(
        "SELECT {COLUMNS}, v.name AS server_name, u.common_name FROM vpn_session s
            JOIN vpn_server v ON v.id = s.server_id JOIN vpn_user u ON u.id = s.vpn_user_id WHERE {condition}"
    )
}

fn read_named(rows: &[PgRow]) -> Result<Vec<NamedSession>, Error> {
    rows.iter()
        .map(|row| {
            Ok((
                SessionRecord::read(row)?,
                row.try_get("server_name")?,
                row.try_get("common_name")?,
            ))
        })
        .collect()
}
