//! The first moments of a socket: no data before there is a good token.

use actix_web::web::Data;
use actix_ws::{AggregatedMessage, AggregatedMessageStream};
use service_kit::Shutdown;
use tokio::time::timeout;

use super::write::Writer;
use super::{Opening, refused};
use crate::State;
use crate::access::Access;
use crate::client_frame::ClientFrame;
use crate::close::Close;
use crate::frames;

/// The compression that snapshots may have.
const GZIP: &str = "gzip";

/// Who comes in, and the rest of what it says.
pub(super) struct Entered {
    pub(super) access: Access,
    pub(super) messages: AggregatedMessageStream,
    pub(super) wishes: Wishes,
}

/// What a client says of itself when it comes.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Where it was before.
    pub(super) last_position: Option<String>,
    /// Snapshots may come compressed.
    pub(super) packed: bool,
}

/// Lets a client in with the token of its request, or of its first message.
pub(super) async fn let_in(
    state: &Data<State>,
    writer: &mut Writer,
    mut messages: AggregatedMessageStream,
    opening: &Opening,
    stopping: &Shutdown,
) -> Result<Entered, Close> {
    let entering = async {
        let (token, wishes) = match &opening.token {
            Some(token) => (token.clone(), Wishes::default()),
            None => first_message(&mut messages).await?,
        };
        let access = state.gate.admit(&token).await?;
        Ok((access, wishes))
    };
    let (mut access, mut wishes) = tokio::select! {
        entered = timeout(state.config.auth_timeout(), entering) => entered.map_err(|_| Close::NoToken)??,
        () = stopping.requested() => return Err(Close::Restart),
    };
    let welcome = frames::authenticated(&access.caller.username, &access.caller.roles, access.expires_at);
    writer.text(welcome, &mut access).await?;
    wishes.last_position = wishes.last_position.or_else(|| opening.last_position.clone());
    Ok(Entered {
        access,
        messages,
        wishes,
    })
}

async fn first_message(messages: &mut AggregatedMessageStream) -> Result<(String, Wishes), Close> {
    loop {
        match messages.recv().await {
            Some(Ok(AggregatedMessage::Text(text))) => {
                return match ClientFrame::read(&text) {
                    Ok(ClientFrame::Authenticate {
                        token,
                        last_position,
                        compression,
                    }) => {
                        let packed = compression.as_deref() == Some(GZIP);
                        Ok((token, Wishes { last_position, packed }))
                    }
                    _ => Err(Close::NoToken),
                };
            }
            Some(Ok(AggregatedMessage::Ping(_) | AggregatedMessage::Pong(_))) => {}
            Some(Ok(AggregatedMessage::Binary(_))) => return Err(Close::NoToken),
            Some(Ok(AggregatedMessage::Close(_))) | None => return Err(Close::Gone),
            Some(Err(error)) => return Err(refused(&error)),
        }
    }
}
