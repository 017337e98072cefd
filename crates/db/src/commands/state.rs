use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::entities::session_command::{self, Column};

/// How far a command has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// It waits for an agent.
    Requested,
    /// An agent has it.
    Delivered,
    /// The daemon took it.
    Accepted,
    /// The session has ended.
    Gone,
    /// The session has ended, and the VPN user has not come back.
    StayedGone,
    /// The session has ended, but the VPN user has come back.
    Reconnected,
    Failed,
    /// Nobody carried it out in time; nothing has been done.
    Expired,
}

impl CommandState {
    /// The state that a command has at `now`.
    pub fn of(command: &session_command::Model, now: OffsetDateTime) -> Self {
        let stored = Self::parse(&command.state);
        if stored.waits() && command.expires_at <= now {
            Self::Expired
        } else {
            stored
        }
    }

    /// Whether it may still be carried out.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Delivered | Self::Accepted)
    }

    /// Whether it expires when nothing more is heard of it.
    fn waits(self) -> bool {
        matches!(self, Self::Requested | Self::Delivered)
    }

    fn parse(name: &str) -> Self {
        match name {
            "requested" => Self::Requested,
            "delivered" => Self::Delivered,
            "accepted" => Self::Accepted,
            "gone" => Self::Gone,
            "stayed_gone" => Self::StayedGone,
            "reconnected" => Self::Reconnected,
            _ => Self::Failed,
        }
    }

    fn stored_as(self) -> Option<&'static str> {
        Some(match self {
            Self::Requested => "requested",
            Self::Delivered => "delivered",
            Self::Accepted => "accepted",
            Self::Gone => "gone",
            Self::StayedGone => "stayed_gone",
            Self::Reconnected => "reconnected",
            Self::Failed => "failed",
            Self::Expired => return None,
        })
    }
}

/// Commands that are in one of these states at `now`; `None` when that is not asked.
pub(super) fn condition(states: &[CommandState], now: OffsetDateTime) -> Option<Condition> {
    if states.is_empty() {
        return None;
    }
    let one = |state: &CommandState| -> Expr {
        match state.stored_as() {
            None => Column::State
                .is_in(["requested", "delivered"])
                .and(Column::ExpiresAt.lte(now)),
            Some(stored) if state.waits() => Column::State.eq(stored).and(Column::ExpiresAt.gt(now)),
            Some(stored) => Column::State.eq(stored),
        }
    };
    Some(
        states
            .iter()
            .fold(Condition::any(), |condition, state| condition.add(one(state))),
    )
}
