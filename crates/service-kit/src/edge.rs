//! What every request has to be like before any handler sees it, and what every answer carries for the browser's eyes.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

use crate::problem::Problem;

/// Far above what the portal's views and an access token need; a proxy before us has limits of the same size.
const MAX_URI_BYTES: usize = 8 << 10;
const MAX_HEADERS_BYTES: usize = 32 << 10;

const DOCS: &str = "/api-docs/";

/// An answer of an API is data: nothing in it is run or shown, whatever it contains.
const DATA_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Swagger UI: its own files, and the styles and images that it makes itself.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'",
);

/// Refuses what no handler shall have to think of.
///
/// # Errors
/// 403 for a preflight: no other origin may call us, so none is told what it could do. 414 and 431 for a head that is too
/// large. 400 for a NUL, which no text of ours can hold.
pub(crate) fn admit(request: &ServiceRequest) -> Result<(), Problem> {
    let headers = request.headers();
    if request.method() == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
        let detail = "Requests from other origins are not taken.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "cross_origin", detail));
    }
    if uri_bytes(request) > MAX_URI_BYTES {
        let detail = format!("The path and its query may have {MAX_URI_BYTES} bytes together.");
        return Err(Problem::new(StatusCode::URI_TOO_LONG, "uri_too_long", detail));
    }
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if size > MAX_HEADERS_BYTES {
        let detail = format!("The headers may have {MAX_HEADERS_BYTES} bytes together.");
        return Err(Problem::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers_too_large",
            detail,
        ));
    }
    refuse_nul(request)
}

fn refuse_nul(request: &ServiceRequest) -> Result<(), Problem> {
    if request.path().contains("%00") {
        let detail = "The path contains a NUL character.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_path", detail));
    }
    let with_nul = request.query_string().split('&').find(|pair| pair.contains("%00"));
    let Some(pair) = with_nul else { return Ok(()) };
    let name = pair.split('=').next().unwrap_or_default();
    let detail = format!("{name} contains a NUL character.");
    Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail).with("parameter", name))
}

fn uri_bytes(request: &ServiceRequest) -> usize {
    request.uri().path_and_query().map_or(0, |uri| uri.as_str().len())
}

/// Adds what the answer to `path` lacks. `Strict-Transport-Security` is said where TLS ends: by nginx.
pub(crate) fn harden(path: &str, headers: &mut HeaderMap) {
    let docs = path.starts_with(DOCS);
    let mut lacking = |name: HeaderName, value| {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    };
    lacking(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    lacking(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    lacking(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    lacking(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    lacking(
        header::CONTENT_SECURITY_POLICY,
        if docs { DOCS_POLICY } else { DATA_POLICY },
    );
    if !docs {
        lacking(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
