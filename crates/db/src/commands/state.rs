use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
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
    /// No agent took it in time; nothing has been done to the session.
    Expired,
    /// The agent took it and has not told how it ended; it may still do so.
    Unanswered,
}

/// How long after a command has expired its agent may still work on it: it takes the word, watches and reports.
pub(super) const ANSWERED_WITHIN: Duration = Duration::minutes(3);

impl CommandState {
    /// The state that a command has at `now`.
    pub fn of(command: &session_command::Model, now: OffsetDateTime) -> Self {
        match Self::parse(&command.state) {
            Self::Requested if command.expires_at <= now => Self::Expired,
            stored if stored.is_in_hand() && command.expires_at + ANSWERED_WITHIN <= now => Self::Unanswered,
            stored => stored,
        }
    }

    /// Whether it may still be carried out.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Delivered | Self::Accepted)
    }

    /// Whether an agent has it, and its end is not known.
    fn is_in_hand(self) -> bool {
        matches!(self, Self::Delivered | Self::Accepted | Self::Gone)
    }

    pub(super) fn parse(name: &str) -> Self {
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
            Self::Expired | Self::Unanswered => return None,
        })
    }
}

/// Commands that are in one of these states at `now`; `None` when that is not asked.
pub(super) fn condition(states: &[CommandState], now: OffsetDateTime) -> Option<Condition> {
    if states.is_empty() {
        return None;
    }
    let one = |state: &CommandState| -> Expr {
        match (state, state.stored_as()) {
            (CommandState::Requested, _) => Column::State.eq("requested").and(Column::ExpiresAt.gt(now)),
            (CommandState::Expired, _) => Column::State.eq("requested").and(Column::ExpiresAt.lte(now)),
            (_, Some(stored)) if state.is_in_hand() => Column::State
                .eq(stored)
                .and(Column::ExpiresAt.gt(now - ANSWERED_WITHIN)),
            (_, Some(stored)) => Column::State.eq(stored),
            (_, None) => Column::State
                .is_in(["delivered", "accepted", "gone"])
                .and(Column::ExpiresAt.lte(now - ANSWERED_WITHIN)),
        }
    };
    Some(
        states
            .iter()
            .fold(Condition::any(), |condition, state| condition.add(one(state))),
    )
}
