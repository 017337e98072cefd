//! What an agent reports of a command.

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use time::OffsetDateTime;
use uuid::Uuid;

use super::CommandState;
use crate::{Db, Error};

/// How far the agent says that a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    Accepted,
    Gone,
    StayedGone,
    Reconnected,
    Failed,
}

/// Everything that an agent knows of a command by now: a later report says all that an earlier one said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub reached: Reached,
    pub accepted_at: Option<OffsetDateTime>,
    pub gone_at: Option<OffsetDateTime>,
    /// Of the last state.
    pub reached_at: OffsetDateTime,
    pub reconnected_session_id: Option<Uuid>,
    /// Why it failed, for people.
    pub failure: Option<String>,
}

/// Steps are taken forward only, and an end stays. What is gone cannot fail any more.
const RECORD: &str = "UPDATE session_command SET
        state = $3,
        delivered_at = coalesce(delivered_at, $10),
        accepted_at = coalesce(accepted_at, CASE WHEN $4::timestamptz IS NOT NULL THEN greatest(requested_at, $4) END),
        gone_at = coalesce(gone_at, CASE WHEN $5::timestamptz IS NOT NULL THEN greatest(requested_at, $5) END),
        stayed_gone_at = CASE WHEN $3 = 'stayed_gone' THEN greatest(requested_at, $6) END,
        reconnected_at = CASE WHEN $3 = 'reconnected' THEN greatest(requested_at, $6) END,
        reconnected_session_id = CASE WHEN $3 = 'reconnected' THEN $7::uuid END,
        failed_at = CASE WHEN $3 = 'failed' THEN greatest(requested_at, $6) END,
        failure = CASE WHEN $3 = 'failed' THEN $8 END
    WHERE id = $1 AND server_id = $2
        AND coalesce(array_position($9::text[], state), 9) < coalesce(array_position($9::text[], $3), 9)
        AND NOT ($3 = 'failed' AND state = 'gone')";

/// The states that others may follow, in their order.
const STEPS: [&str; 4] = ["requested", "delivered", "accepted", "gone"];

/// Takes a report of the agent of this server. `None`: the server has no such command. Else the state that is stored then: a
/// report that comes again, or too late, changes nothing.
pub async fn record(
    db: &Db,
    server_id: i32,
    command_id: Uuid,
    progress: Progress,
    now: OffsetDateTime,
) -> Result<Option<CommandState>, Error> {
    let steps: Vec<String> = STEPS.map(str::to_owned).into();
    let values = [
        command_id.into(),
        server_id.into(),
        progress.reached.as_str().into(),
        progress.accepted_at.into(),
        progress.gone_at.into(),
        progress.reached_at.into(),
        progress.reconnected_session_id.into(),
        progress.failure.into(),
        steps.into(),
        now.into(),
    ];
    db.connection
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, RECORD, values))
        .await?;
    let stored = "SELECT state FROM session_command WHERE id = $1 AND server_id = $2";
    let values = [command_id.into(), server_id.into()];
    let row = db
        .connection
        .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, stored, values))
        .await?;
    let state = row.map(|row| row.try_get::<String>("", "state")).transpose()?;
    Ok(state.as_deref().map(CommandState::parse))
}

impl Reached {
    fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Gone => "gone",
            Self::StayedGone => "stayed_gone",
            Self::Reconnected => "reconnected",
            Self::Failed => "failed",
        }
    }
}
