//! Recomputes the sessions of a server from all of its stored events, and compares.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::session::{Session, SessionStatus};
use domain::timeline::{ServerTimeline, timeline};
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::changes::ChangeKind;
use super::changes::Changes;
use super::record::{COLUMNS, SessionRecord};
use super::replay::StoredEvent;
use super::write;
use crate::{Db, Error};

/// A session that is stored otherwise than the events give it.
#[derive(Debug, Clone)]
pub struct Difference {
    pub server_name: String,
    pub session_id: Uuid,
    pub common_name: String,
    /// `None`: the table lacks it.
    pub stored: Option<Session>,
    /// `None`: no event gives it.
    pub computed: Option<Session>,
}

/// Computes the sessions of one server (by name) or of all from the stored events; with `repair`, stores them so.
///
/// # Errors
/// With an error nothing of the server at hand was changed; servers before it were.
pub async fn rebuild(db: &Db, server: Option<&str>, repair: bool) -> Result<Vec<Difference>, Error> {
    let pool = db.connection.get_postgres_connection_pool();
    let sql = "SELECT v.id, v.name, v.duplicate_cn FROM vpn_server v JOIN vpn_server_state s ON s.server_id = v.id
        WHERE $1::text IS NULL OR v.name = $1 ORDER BY v.id";
    let mut differences = Vec::new();
    for row in sqlx::query(sql).bind(server).fetch_all(pool).await? {
        let server = Server {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            duplicate_cn: row.try_get(2)?,
        };
        let mut transaction = pool.begin().await?;
        let lock = "SELECT withdrawn_version FROM vpn_server_state WHERE server_id = $1 FOR NO KEY UPDATE";
        let withdrawn_version = sqlx::query_scalar(lock)
            .bind(server.id)
            .fetch_one(&mut *transaction)
            .await?;
        let found = compare(&mut transaction, &server).await?;
        if repair {
            store(&mut transaction, &server, withdrawn_version, &found).await?;
        }
        transaction.commit().await?;
        differences.extend(found.into_iter().map(|(difference, _)| difference));
    }
    Ok(differences)
}

struct Server {
    id: i32,
    name: String,
    duplicate_cn: bool,
}

async fn compare(
    connection: &mut PgConnection,
    server: &Server,
) -> Result<Vec<(Difference, Option<SessionRecord>)>, Error> {
    let computed = compute(connection, server).await?;
    let mut stored = stored(connection, server).await?;
    let mut differences = Vec::new();
    for (common_name, session) in computed {
        let before = stored.remove(&session.id).map(|(record, _)| record);
        if before.as_ref().is_none_or(|record| record.session != session) {
            let difference = Difference {
                server_name: server.name.clone(),
                session_id: session.id,
                common_name,
                stored: before.as_ref().map(|record| record.session.clone()),
                computed: Some(session),
            };
            differences.push((difference, before));
        }
    }
    for (record, common_name) in stored.into_values() {
        let difference = Difference {
            server_name: server.name.clone(),
            session_id: record.session.id,
            common_name,
            stored: Some(record.session.clone()),
            computed: None,
        };
        differences.push((difference, Some(record)));
    }
    Ok(differences)
}

async fn compute(connection: &mut PgConnection, server: &Server) -> Result<Vec<(String, Session)>, Error> {
    let sql = "SELECT e.event_id, e.event_time, e.vpn_user_id, e.session_id, e.event_type::text, e.boot_id, e.seq,
        e.body::text, false AS waits FROM vpn_event e WHERE e.server_id = $1";
    let rows = sqlx::query(sql).bind(server.id).fetch_all(connection).await?;
    let events = rows
        .iter()
        .map(|row| Ok(StoredEvent::read(row)?.event))
        .collect::<Result<Vec<_>, Error>>()?;
    let timeline = timeline(
        ServerTimeline {
            server_name: &server.name,
            duplicate_cn: server.duplicate_cn,
        },
        &events,
    );
    let of_name =
        |(name, sessions): (String, Vec<Session>)| sessions.into_iter().map(move |session| (name.clone(), session));
    Ok(timeline.sessions.into_iter().flat_map(of_name).collect())
}

async fn stored(
    connection: &mut PgConnection,
    server: &Server,
) -> Result<HashMap<Uuid, (SessionRecord, String)>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, u.common_name FROM vpn_session s JOIN vpn_user u ON u.id = s.vpn_user_id WHERE s.server_id = $1"
    );
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(server.id)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let record = SessionRecord::read(row)?;
            Ok((record.session.id, (record, row.try_get("common_name")?)))
        })
        .collect()
}

async fn store(
    connection: &mut PgConnection,
    server: &Server,
    withdrawn_version: i32,
    differences: &[(Difference, Option<SessionRecord>)],
) -> Result<(), Error> {
    let names: Vec<&str> = differences
        .iter()
        .map(|(difference, _)| difference.common_name.as_str())
        .collect();
    let rows = sqlx::query("SELECT common_name, id FROM vpn_user WHERE common_name = ANY($1)")
        .bind(names)
        .fetch_all(&mut *connection)
        .await?;
    let users: BTreeMap<String, i64> = rows
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<_, Error>>()?;
    let mut changes = Changes::default();
    for (difference, before) in differences {
        let version = before.as_ref().map_or(withdrawn_version, |record| record.version) + 1;
        match (&difference.computed, before) {
            (Some(session), _) => {
                let status = if session.is_open() {
                    SessionStatus::Active
                } else {
                    SessionStatus::Disconnected
                };
                let vpn_user_id = *users
                    .get(&difference.common_name)
                    .ok_or_else(|| Error::Corrupt(format!("there is no VPN user {}", difference.common_name)))?;
                let record = SessionRecord {
                    server_id: server.id,
                    vpn_user_id,
                    session: session.clone(),
                    status,
                    version,
                };
                changes.records.push((ChangeKind::Updated, record));
            }
            (None, Some(record)) => changes.withdraw(record.clone()),
            (None, None) => {}
        }
    }
    write::sessions(connection, &changes, &HashSet::new()).await
}
