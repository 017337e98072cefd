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

/// Who comes in, the rest of what it says, and where it was before.
type Entered = (Access, AggregatedMessageStream, Option<String>);

/// Lets a client in with the token of its request, or of its first message.
pub(super) async fn let_in(
    state: &Data<State>,
    writer: &mut Writer,
    mut messages: AggregatedMessageStream,
    opening: &Opening,
    stopping: &Shutdown,
) -> Result<Entered, Close> {
    let entering = async {
        let (token, last_position) = match &opening.token {
            Some(token) => (token.clone(), None),
            None => first_message(&mut messages).await?,
        };
        let access = state.gate.admit(&token).await?;
        Ok((access, last_position))
    };
    let (mut access, last_position) = tokio::select! {
        entered = timeout(state.config.auth_timeout(), entering) => entered.map_err(|_| Close::NoToken)??,
        () = stopping.requested() => return Err(Close::Restart),
    };
    let welcome = frames::authenticated(&access.caller.username, &access.caller.roles, access.expires_at);
    writer.text(welcome, &mut access).await?;
    Ok((
        access,
        messages,
        last_position.or_else(|| opening.last_position.clone()),
    ))
}

async fn first_message(messages: &mut AggregatedMessageStream) -> Result<(String, Option<String>), Close> {
    loop {
        match messages.recv().await {
            Some(Ok(AggregatedMessage::Text(text))) => {
                return match ClientFrame::read(&text) {
                    Ok(ClientFrame::Authenticate { token, last_position }) => Ok((token, last_position)),
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
