//! Who sends: the API key of a request, checked before its body is read.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use ring::digest::{SHA256, digest};
use service_kit::Problem;
use subtle::ConstantTimeEq;

use crate::State;
use crate::key_cache::{KeyId, LookupError};

/// Characters of a secret: at least 128 bits in base64.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 22..=128;

/// The VPN server that a request's key belongs to. An extractor, so that no handler can forget the check.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) server_key: i32,
    pub(crate) server_name: String,
}

impl Agent {
    /// # Errors
    /// 403 when the body speaks for another server.
    pub(crate) fn must_be(&self, server_id: &str) -> Result<(), Problem> {
        if server_id == self.server_name {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "wrong_server_id",
            "The server_id in the body is not the VPN server that this API key belongs to.",
        ))
    }
}

impl FromRequest for Agent {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<Data<State>>().cloned();
        let header = request.headers().get(AUTHORIZATION).cloned();
        Box::pin(async move {
            let state = state.expect("the state is registered beside the handlers");
            authenticate(&state, header.as_ref()).await
        })
    }
}

async fn authenticate(state: &State, header: Option<&HeaderValue>) -> Result<Agent, Problem> {
    let Some((key_id, secret)) = header.and_then(|header| parse(header.to_str().ok()?)) else {
        return Err(unauthorized());
    };
    let hash = digest(&SHA256, secret.as_bytes());
    let key = state.keys.find(key_id).await.map_err(|error| match error {
        LookupError::Unknown => unauthorized(),
        LookupError::Unavailable => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "key_check_unavailable",
            "The API key cannot be checked at the moment; try again soon.",
        )
        .retry_after(state.retry_after()),
    })?;
    if !bool::from(hash.as_ref().ct_eq(&key.secret_sha256)) {
        return Err(unauthorized());
    }
    Ok(Agent {
        server_key: key.server_key,
        server_name: key.server_name.clone(),
    })
}

/// One answer for a key that is missing, malformed, unknown, wrong or revoked.
fn unauthorized() -> Problem {
    let detail = "The request carries no valid API key.";
    Problem::new(StatusCode::UNAUTHORIZED, "invalid_api_key", detail)
        .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// `Bearer ovt_<key id>_<secret>`, as key id and secret.
fn parse(header: &str) -> Option<(KeyId, &str)> {
    let (scheme, key) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (key_id, secret) = key.trim().strip_prefix("ovt_")?.split_at_checked(12)?;
    let secret = secret.strip_prefix('_')?;
    let url_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !SECRET_LENGTH.contains(&secret.len()) || !secret.bytes().all(url_safe) {
        return None;
    }
    Some((KeyId::parse(key_id)?, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdefABCDE-_";

    #[test]
    fn a_key_is_an_id_and_a_secret() {
        let header = format!("bearer ovt_abcdef012345_{SECRET}");
        let (key_id, secret) = parse(&header).unwrap();
        assert_eq!((key_id.as_str(), secret), ("abcdef012345", SECRET));
    }

    #[test]
    fn anything_else_is_no_key() {
        let bad = [
            String::new(),
            "Bearer".to_owned(),
            format!("Basic ovt_abcdef012345_{SECRET}"),
            format!("Bearer ovt_ABCDEF012345_{SECRET}"),
            format!("Bearer ovt_abcdef01234_{SECRET}"),
            format!("Bearer ovt_abcdef0123456{SECRET}"),
            "Bearer ovt_abcdef012345_short".to_owned(),
            format!("Bearer ovt_abcdef012345_{SECRET}!"),
            format!("Bearer ovt_abcdef012345_{}", "x".repeat(129)),
            format!("Bearer ovt_äöü_{SECRET}"),
        ];
        for header in bad {
            assert!(parse(&header).is_none(), "{header}");
        }
    }
}
