//! `GET /ws`: from HTTP to a socket.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::SEC_WEBSOCKET_PROTOCOL;
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, get};
use serde::Deserialize;
use service_kit::{Problem, ProblemBody, Shutdown};
use utoipa::IntoParams;

use crate::State;
use crate::socket::{self, Opening};

/// The sub-protocol that a token may follow.
const BEARER: &str = "bearer";
/// When to try again after there were too many sockets, seconds.
const TRY_AGAIN: u64 = 5;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SocketParams {
    /// The position of the last frame before the connection was lost; also a field of the first message.
    last_position: Option<String>,
}

/// What happens now: a snapshot of the active sessions, then every change.
///
/// A WebSocket. The access token comes in the first message (`{"event":"authenticate","token":…}`, within
/// `REALTIME_AUTH_SECONDS`) or as the second sub-protocol (`Sec-WebSocket-Protocol: bearer, <token>`), never in the URL. The
/// events, close codes and positions are described in docs/realtime.md.
#[utoipa::path(
    params(SocketParams),
    responses(
        (status = 101, description = "The connection is a WebSocket from here on"),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "Not a WebSocket handshake"),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "A page of another origin"),
        (status = 503, body = ProblemBody, content_type = "application/problem+json", description = "Too many sockets, or stopping"),
    )
)]
#[get("/ws")]
pub(crate) async fn open_socket(
    request: HttpRequest,
    body: Payload,
    parameters: Query<SocketParams>,
    state: Data<State>,
    stopping: Shutdown,
) -> Result<HttpResponse, Problem> {
    if !state.origins.allow(request.headers()) {
        let detail = "Pages of this origin may not connect.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "origin_not_allowed", detail));
    }
    if stopping.is_requested() {
        return Err(unavailable("stopping", "This replica is stopping."));
    }
    let permit = Arc::clone(&state.sockets).try_acquire_owned();
    let Ok(permit) = permit else {
        metrics::counter!("realtime_refused_total").increment(1);
        return Err(unavailable("too_many_sockets", "There are too many connections."));
    };
    let opening = Opening {
        token: token(&request),
        last_position: parameters.into_inner().last_position,
        permit,
    };
    let (response, session, messages) = actix_ws::handle_with_protocols(&request, body, &[BEARER])
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "not_a_websocket", error.to_string()))?;
    let most = state.config.realtime_max_frame_bytes;
    let messages = messages
        .max_frame_size(most)
        .aggregate_continuations()
        .max_continuation_size(most);
    actix_web::rt::spawn(socket::serve(state, session, messages, opening, stopping));
    Ok(response)
}

fn unavailable(error: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, error, detail).retry_after(TRY_AGAIN)
}

/// The sub-protocol after `bearer`.
fn token(request: &HttpRequest) -> Option<String> {
    let headers = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let mut protocols = headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(','))
        .map(str::trim);
    protocols.find(|protocol| *protocol == BEARER)?;
    protocols.next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn token_in(protocols: &[&str]) -> Option<String> {
        let mut request = TestRequest::default();
        for protocol in protocols {
            request = request.append_header((SEC_WEBSOCKET_PROTOCOL, *protocol));
        }
        token(&request.to_http_request())
    }

    #[test]
    fn the_token_follows_the_bearer_protocol() {
        assert_eq!(token_in(&["bearer, abc"]), Some("abc".to_owned()));
        assert_eq!(token_in(&["bearer", "abc"]), Some("abc".to_owned()));
        assert_eq!(token_in(&["bearer"]), None);
        assert_eq!(token_in(&["abc"]), None);
        assert_eq!(token_in(&[]), None);
    }
}
