use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, Statement};
use serde_json::json;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{CommandRow, CommandState, newest};
use crate::audit::{self, Action, Actor, Entry};
use crate::entities::enums::SessionStatus;
use crate::entities::session_command;
use crate::sessions::{self, SessionRow};
use crate::transaction::in_transaction;
use crate::{Db, Error, denials};

/// What to ask of the agents of these sessions' servers.
#[derive(Debug, Clone)]
pub struct NewTermination {
    /// Each session with the id of its command.
    pub sessions: Vec<(Uuid, Uuid)>,
    pub portal_user_id: i64,
    /// For people, 1 to 500 characters.
    pub reason: String,
    /// How long the VPN user may not connect again.
    pub deny: Option<Duration>,
    pub requested_at: OffsetDateTime,
    /// How long an agent may take.
    pub patience: Duration,
}

/// What became of the wish to end one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    Stored(Box<CommandRow>),
    NoSuchSession,
    /// It has ended already.
    Ended,
    /// There is a command already that may still be carried out.
    Waiting(Box<CommandRow>),
}

/// Stores a command for each session that is open and has none, each with its audit entry, in one transaction. The
/// answers are in the order of the sessions.
pub async fn request_terminations(db: &Db, new: NewTermination, actor: Actor) -> Result<Vec<Requested>, Error> {
    in_transaction(db, move |change| {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(new.sessions.len());
            lock(change, &new).await?;
            for (session_id, command_id) in &new.sessions {
                answers.push(request(change, &new, *session_id, *command_id, &actor).await?);
            }
            Ok(answers)
        })
    })
    .await
}

/// Two portal users who end the same session at once: the second sees the first one's command. Locked in one order.
async fn lock(change: &DatabaseTransaction, new: &NewTermination) -> Result<(), Error> {
    let mut ids: Vec<Uuid> = new.sessions.iter().map(|(session_id, _)| *session_id).collect();
    ids.sort_unstable();
    let sql = "SELECT pg_advisory_xact_lock(hashtextextended('terminate ' || id, 0)) FROM unnest($1::uuid[]) AS id";
    change
        .query_all_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, [ids.into()]))
        .await?;
    Ok(())
}

async fn request(
    change: &DatabaseTransaction,
    new: &NewTermination,
    session_id: Uuid,
    command_id: Uuid,
    actor: &Actor,
) -> Result<Requested, Error> {
    let Some(row) = sessions::find_within(change, session_id).await? else {
        return Ok(Requested::NoSuchSession);
    };
    if row.session.session_status == SessionStatus::Disconnected {
        return Ok(Requested::Ended);
    }
    let last = newest(change, session_id, 1).await?.pop();
    if let Some(last) = last.filter(|last| CommandState::of(&last.command, new.requested_at).is_open()) {
        return Ok(Requested::Waiting(Box::new(last)));
    }
    let command = insert(change, new, &row, command_id, actor).await?;
    denials::create(change, &command).await?;
    audit::append(change, actor, entry(&row, &command)).await?;
    Ok(Requested::Stored(Box::new(CommandRow {
        command,
        common_name: row.common_name,
        server_instance: row.server_instance,
    })))
}

async fn insert(
    change: &DatabaseTransaction,
    new: &NewTermination,
    row: &SessionRow,
    command_id: Uuid,
    actor: &Actor,
) -> Result<session_command::Model, Error> {
    let command = session_command::ActiveModel {
        id: Set(command_id),
        session_id: Set(row.session.id),
        server_id: Set(row.session.server_id),
        vpn_user_id: Set(row.session.vpn_user_id),
        kind: Set("terminate".to_owned()),
        requested_by: Set(new.portal_user_id),
        requested_by_name: Set(actor.name.clone()),
        reason: Set(new.reason.clone()),
        deny_until: Set(new.deny.map(|deny| new.requested_at + deny)),
        requested_at: Set(new.requested_at),
        expires_at: Set(new.requested_at + new.patience),
        state: Set("requested".to_owned()),
        ..Default::default()
    };
    Ok(command.insert(change).await?)
}

fn entry(row: &SessionRow, command: &session_command::Model) -> Entry {
    let time = |at: OffsetDateTime| domain::time_format::format_millis(at);
    Entry {
        action: Action::Terminate,
        object_type: "vpn_session",
        object_id: Some(row.session.id.to_string()),
        details: json!({
            "command_id": command.id,
            "common_name": row.common_name,
            "server_instance": row.server_instance,
            "reason": command.reason,
            "deny_until": command.deny_until.map(time),
            "expires_at": time(command.expires_at),
        }),
    }
}
