//! Why a socket ends, as the close code tells it. Documented in `docs/realtime.md`.

use actix_ws::{CloseCode, CloseReason};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// The client has said goodbye, or is gone.
    Gone,
    /// No token came in time.
    NoToken,
    /// The token is none of ours.
    InvalidToken,
    /// The token's time is over.
    Expired,
    /// Logged out, deactivated, or the roles have changed.
    Revoked,
    /// The token is good, but allows nothing here.
    Forbidden,
    /// Another portal user's token came over the same socket.
    OtherUser,
    /// Larger than a client's message may be.
    TooLarge,
    /// Not what WebSocket or this protocol allows.
    Protocol,
    /// More messages than anybody needs.
    TooMany,
    /// It does not read.
    Slow,
    /// It does not answer pings.
    Dead,
    /// Tokens cannot be checked at the moment.
    CannotCheck,
    /// The gateway stops.
    Restart,
}

impl Close {
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Gone => 1000,
            Self::Protocol => 1002,
            Self::TooMany => 1008,
            Self::TooLarge => 1009,
            Self::Dead => 1011,
            Self::Restart => 1012,
            Self::Slow | Self::CannotCheck => 1013,
            Self::NoToken | Self::InvalidToken | Self::Expired | Self::Revoked => 4401,
            Self::Forbidden | Self::OtherUser => 4403,
        }
    }

    /// What the client reads beside the code.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Gone => "goodbye",
            Self::NoToken => "missing_token",
            Self::InvalidToken => "invalid_token",
            Self::Expired => "expired_token",
            Self::Revoked => "revoked_token",
            Self::Forbidden => "forbidden",
            Self::OtherUser => "other_user",
            Self::TooLarge => "frame_too_large",
            Self::Protocol => "protocol_error",
            Self::TooMany => "too_many_frames",
            Self::Slow => "too_slow",
            Self::Dead => "no_pong",
            Self::CannotCheck => "tokens_unavailable",
            Self::Restart => "restarting",
        }
    }
}

impl From<Close> for CloseReason {
    fn from(close: Close) -> Self {
        Self {
            code: CloseCode::from(close.code()),
            description: Some(close.reason().to_owned()),
        }
    }
}
