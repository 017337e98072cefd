//! `Prefer: respond-async` (RFC 7240): answer as soon as the request is stored.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

pub(crate) const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
pub(crate) const RESPOND_ASYNC: &str = "respond-async";

pub(crate) fn wants_async(request: &HttpRequest) -> bool {
    let headers = request
        .headers()
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok());
    headers.flat_map(|value| value.split(',')).any(|preference| {
        let name = preference.split([';', '=']).next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(RESPOND_ASYNC)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_preference_is_found_among_others() {
        for (header, wanted) in [
            ("respond-async", true),
            ("wait=10, Respond-Async", true),
            ("return=minimal", false),
        ] {
            let request = TestRequest::default()
                .insert_header(("prefer", header))
                .to_http_request();
            assert_eq!(wants_async(&request), wanted, "{header}");
        }
        assert!(!wants_async(&TestRequest::default().to_http_request()));
    }
}
