//! `GET /api/v1/commands` and `POST /api/v1/commands/{id}/result`. Times are relative, so that clocks do not matter.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The `kind` of a command that ends a session.
pub const TERMINATE: &str = "terminate";

/// Answer of `GET /api/v1/commands`: everything that the agent should know now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Commands {
    /// A command may come again until it was reported on; it is to be carried out once.
    pub commands: Vec<Command>,
    /// The whole list.
    pub denials: Vec<Denial>,
    /// Another one whenever the list is another one.
    pub denials_version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Command {
    pub id: Uuid,
    pub kind: String,
    pub session_id: Uuid,
    pub common_name: String,
    /// After this time it must not be carried out any more.
    pub expires_in_ms: u64,
    /// For how long to watch whether the VPN user comes back.
    pub watch_seconds: u64,
}

/// A VPN user who may not connect for a time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Denial {
    pub id: Uuid,
    pub common_name: String,
    pub expires_in_ms: i64,
}

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// The daemon took it.
    Accepted,
    /// The session was seen to have ended.
    Gone,
    StayedGone,
    Reconnected,
    Failed,
}

/// Body of `POST /api/v1/commands/{id}/result`: all that is known of the command by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CommandResult<'a> {
    pub state: CommandState,
    /// How long ago this state was reached.
    pub ms_ago: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_ms_ago: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_ms_ago: Option<i64>,
    /// With `reconnected`: the new session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnected_session_id: Option<Uuid>,
    /// With `failed`: why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<&'a str>,
}
