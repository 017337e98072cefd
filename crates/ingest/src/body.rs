//! Request bodies: read piece by piece, within the limits of size, time and memory.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue,
};
use actix_web::web::Payload;
use futures_util::StreamExt;
use service_kit::Problem;
use tokio::time::timeout;

use crate::State;
use crate::decode::{DecodeError, Decoder, Encoding};
use crate::memory::Reservation;

/// A whole body and the memory it holds.
pub(crate) struct Body {
    pub(crate) bytes: Vec<u8>,
    pub(crate) memory: Reservation,
}

/// # Errors
/// 415 for another type or encoding, 413 over the limit, 408 when it takes too long, 400 when it is cut off or does not
/// decode, 503 when the bodies in hand take too much memory.
pub(crate) async fn read(state: &State, request: &HttpRequest, payload: Payload) -> Result<Body, Problem> {
    must_be_json(request)?;
    let encoding = encoding(request)?;
    let limit = state.limits.ingest_max_body_bytes;
    if declared_length(request) > limit {
        return Err(too_large(limit));
    }
    match timeout(state.limits.body_timeout(), collect(state, encoding, payload)).await {
        Ok(body) => body,
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_timeout",
            "The body took too long to arrive.",
        )),
    }
}

async fn collect(state: &State, encoding: Encoding, mut payload: Payload) -> Result<Body, Problem> {
    let limit = state.limits.ingest_max_body_bytes;
    let refused = |error| decode_problem(error, limit);
    let mut memory = state.memory.reserve_nothing();
    let mut decoder = Decoder::new(encoding, limit).map_err(refused)?;
    let mut received = 0;
    while let Some(piece) = payload.next().await {
        let piece =
            piece.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", error.to_string()))?;
        received += piece.len();
        // Compressed data can go on for ever without giving anything.
        if received > limit {
            return Err(too_large(limit));
        }
        decoder.push(&piece).map_err(refused)?;
        if !memory.grow_to(decoder.len()) {
            return Err(state.overloaded("The bodies of the requests in hand take too much memory."));
        }
    }
    Ok(Body {
        bytes: decoder.finish().map_err(refused)?,
        memory,
    })
}

fn must_be_json(request: &HttpRequest) -> Result<(), Problem> {
    let essence = header(request, CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "The content type must be application/json.";
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        detail,
    ))
}

fn encoding(request: &HttpRequest) -> Result<Encoding, Problem> {
    let several = request.headers().get_all(CONTENT_ENCODING).count() > 1;
    let unreadable = request.headers().contains_key(CONTENT_ENCODING) && header(request, CONTENT_ENCODING).is_none();
    let encoding = Encoding::parse(header(request, CONTENT_ENCODING)).filter(|_| !several && !unreadable);
    encoding.ok_or_else(|| {
        let detail = "The content encoding must be zstd, gzip or none.";
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_encoding",
            detail,
        )
        .header(ACCEPT_ENCODING, HeaderValue::from_static("zstd, gzip"))
    })
}

fn declared_length(request: &HttpRequest) -> usize {
    header(request, CONTENT_LENGTH)
        .and_then(|value| value.parse().ok())
        .unwrap_or(0)
}

fn header(request: &HttpRequest, name: HeaderName) -> Option<&str> {
    request.headers().get(name)?.to_str().ok()
}

fn decode_problem(error: DecodeError, limit: usize) -> Problem {
    match error {
        DecodeError::TooLarge => too_large(limit),
        DecodeError::Malformed(reason) => {
            let detail = format!("The body is not of its content encoding: {reason}.");
            Problem::new(StatusCode::BAD_REQUEST, "invalid_content_encoding", detail)
        }
    }
}

fn too_large(limit: usize) -> Problem {
    let detail = format!("The body is larger than {limit} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
}
