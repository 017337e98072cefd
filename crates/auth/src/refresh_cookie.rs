//! The browser's refresh token: in a cookie that no script can read, no other host or path can set, and no other site sends.
//! It is looked at by `/api/auth/refresh` and `/api/auth/logout` only, and only when the page that asks is the portal's own.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, ORIGIN};
use service_kit::Problem;
use time::{Duration, OffsetDateTime};

use crate::config::SessionConfig;

const NAME: &str = "__Host-refresh";

/// The cookie with this token. Without `until` the browser forgets it when it is closed.
pub(crate) fn with(token: String, now: OffsetDateTime, until: Option<OffsetDateTime>) -> Cookie<'static> {
    let mut cookie = empty(token);
    cookie.set_max_age(until.map(|until| Duration::seconds((until - now).whole_seconds())));
    cookie
}

/// Makes the browser forget it.
pub(crate) fn removal() -> Cookie<'static> {
    let mut cookie = empty(String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

fn empty(value: String) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish()
}

/// The token that the browser sends along.
///
/// # Errors
/// 403 unless the page that asks is the portal's: a browser says so in `Origin` with every POST.
pub(crate) fn presented(request: &HttpRequest, config: &SessionConfig) -> Result<Option<String>, Problem> {
    let Some(cookie) = request.cookie(NAME) else {
        return Ok(None);
    };
    require_own_origin(request, config)?;
    Ok(Some(cookie.value().to_owned()))
}

/// # Errors
/// 403 unless the request says that it comes from one of the portal's own pages.
pub(crate) fn require_own_origin(request: &HttpRequest, config: &SessionConfig) -> Result<(), Problem> {
    if is_own_origin(request, config) {
        return Ok(());
    }
    let detail = "The refresh cookie is for the portal's own pages only.";
    Err(Problem::new(StatusCode::FORBIDDEN, "origin_not_allowed", detail))
}

fn is_own_origin(request: &HttpRequest, config: &SessionConfig) -> bool {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(ORIGIN) else { return false };
    let authority = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    let is_host = authority
        .zip(text(HOST))
        .is_some_and(|(authority, host)| authority == host);
    is_host || config.allows_origin(origin)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn allowed(origin: Option<&str>) -> bool {
        let config = SessionConfig {
            portal_origins: "https://portal.example.com, https://other.example.com:8443".to_owned(),
            ..SessionConfig::default()
        };
        let mut request = TestRequest::post().insert_header((HOST, "vpn.example.com:8443"));
        if let Some(origin) = origin {
            request = request.insert_header((ORIGIN, origin));
        }
        is_own_origin(&request.to_http_request(), &config)
    }

    #[test]
    fn only_the_portals_own_pages_may_use_the_cookie() {
        assert!(allowed(Some("https://vpn.example.com:8443")));
        assert!(allowed(Some("https://portal.example.com")));
        assert!(allowed(Some("https://other.example.com:8443")));
        for origin in [
            "https://vpn.example.com",
            "https://evil.example.com",
            "https://vpn.example.com:8443.evil.example.com",
            "null",
            "",
            "http://portal.example.com",
        ] {
            assert!(!allowed(Some(origin)), "{origin}");
        }
        assert!(!allowed(None));
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let now = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(
            with("t".to_owned(), now, Some(now + Duration::hours(1))).to_string(),
            "__Host-refresh=t; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=3600"
        );
        let forgotten = "__Host-refresh=t; HttpOnly; SameSite=Strict; Secure; Path=/";
        assert_eq!(with("t".to_owned(), now, None).to_string(), forgotten);
        assert!(removal().to_string().ends_with("; Max-Age=0"));
    }
}
