//! Which web pages may open a socket.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN};

/// Origins beside the gateway's own host.
#[derive(Debug, Clone)]
pub(crate) struct Origins(Vec<String>);

impl Origins {
    /// From origins separated by commas.
    pub(crate) fn new(list: &str) -> Self {
        let origins = list.split(',').map(|origin| origin.trim().trim_end_matches('/'));
        Self(
            origins
                .filter(|origin| !origin.is_empty())
                .map(str::to_ascii_lowercase)
                .collect(),
        )
    }

    /// Browsers always name the page's origin: it must be this host, or one of the list. Other programs name none and may
    /// connect: no cookie speaks for them, so nobody else's page can use them.
    pub(crate) fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN);
        let Some(origin) = origins.next() else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let origin = origin.to_ascii_lowercase();
        origins.next().is_none() && (self.0.contains(&origin) || is_own(&origin, headers))
    }
}

fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let host = host.to_ascii_lowercase();
    !authority.is_empty() && authority == host.strip_suffix(default_port).unwrap_or(&host)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn allowed(origin: Option<&str>, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        Origins::new("https://portal.example.com/, http://127.0.0.1:5173").allow(&headers)
    }

    #[test]
    fn the_own_host_and_listed_origins_may_connect() {
        assert!(allowed(Some("http://127.0.0.1:18480"), "127.0.0.1:18480"));
        assert!(allowed(Some("https://vpn.example.com"), "vpn.example.com"));
        assert!(allowed(Some("https://vpn.example.com"), "VPN.example.com:443"));
        assert!(allowed(Some("https://Portal.example.com"), "127.0.0.1:18484"));
        assert!(allowed(Some("http://127.0.0.1:5173"), "127.0.0.1:18480"));
        assert!(allowed(None, "127.0.0.1:18480"));
    }

    #[test]
    fn others_may_not() {
        for origin in [
            "https://evil.example.com",
            "http://127.0.0.1:18481",
            "http://127.0.0.1",
            "https://portal.example.com.evil.com",
            "null",
            "",
            "file://127.0.0.1:18480",
        ] {
            assert!(!allowed(Some(origin), "127.0.0.1:18480"), "{origin}");
        }
    }
}
