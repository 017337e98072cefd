//! The agent's one way to the product: its HTTP client and what an answer means.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

use crate::config::Config;
use crate::health::Health;

/// Speaks to the agent API with the agent's key.
#[derive(Debug, Clone)]
pub struct ApiClient {
    http: reqwest::Client,
    base: String,
    key: String,
    pub server_id: String,
    pub health: Health,
}

/// What became of a request.
#[derive(Debug)]
pub enum Answer {
    Accepted(String),
    /// Not now; after this many seconds, if the product said so.
    Later(Option<u64>, String),
    /// Not like this: what and why.
    Refused(StatusCode, String),
}

/// The agent's HTTP client: its certificate authorities, its proxy, its timeouts.
///
/// # Errors
/// When the certificate authorities or the proxy cannot be used.
fn http(config: &Config) -> anyhow::Result<reqwest::Client> {
    // Fails only when it has been done already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .timeout(Duration::from_secs(config.send.timeout_seconds))
        .connect_timeout(Duration::from_secs(config.send.connect_timeout_seconds))
        .tcp_nodelay(true)
        // The key goes where the configuration says and nowhere else.
        .redirect(reqwest::redirect::Policy::none());
    builder = match &config.proxy {
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy).context("proxy cannot be used")?),
        None => builder.no_proxy(),
    };
    if let Some(file) = &config.tls.ca_file {
        builder = builder.tls_certs_only(authorities(file)?);
    } else if !config.speaks_tls() {
        // A host without any certificate authority is good enough for plain HTTP.
        builder = builder.tls_certs_only([]);
    }
    builder.build().context(if config.tls.ca_file.is_none() {
        "cannot make a HTTPS client; are the system's certificate authorities installed (package ca-certificates)?"
    } else {
        "cannot make a HTTPS client"
    })
}

/// The certificates of a PEM file.
fn authorities(file: &Path) -> anyhow::Result<Vec<reqwest::Certificate>> {
    let pem = std::fs::read(file).with_context(|| format!("cannot read tls.ca_file {}", file.display()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem)
        .with_context(|| format!("tls.ca_file {} is not PEM", file.display()))?;
    anyhow::ensure!(!found.is_empty(), "tls.ca_file {} holds no certificate", file.display());
    Ok(found)
}

impl ApiClient {
    /// # Errors
    /// When the key is missing, or the certificate authorities or the proxy cannot be used.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let key = config.api_key.clone().context("api_key or api_key_file is missing")?;
        Ok(Self {
            http: http(config)?,
            base: config.api_url.trim_end_matches('/').to_owned(),
            key,
            server_id: config.server_id.clone(),
            health: Health::default(),
        })
    }

    /// A request to `/api/v1{path}`, to be sent with [`Self::send`].
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/api/v1{path}", self.base))
            .bearer_auth(&self.key)
    }

    /// Sends once.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let error = readable(&error);
                self.health.unanswered(&error);
                return Answer::Later(None, error);
            }
        };
        let status = response.status();
        self.health.answered(status, response.headers());
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        let body = match response.text().await {
            Ok(body) => body,
            Err(error) => return Answer::Later(wait, readable(&error)),
        };
        match status {
            status if status.is_success() => Answer::Accepted(body),
            // The one that is an answer; any other says that the product is elsewhere.
            StatusCode::NOT_FOUND if is_problem(&body, "unknown_command") => Answer::Refused(status, body),
            // A key may be renewed, a clock set right, a limit raised: these are not about the events.
            StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS => Answer::Later(wait, format!("{status}: {body}")),
            status if status.is_client_error() => Answer::Refused(status, body),
            status => Answer::Later(wait, format!("{status}: {body}")),
        }
    }
}

/// Whether this is the product's own error of that code.
fn is_problem(body: &str, code: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body).is_ok_and(|problem| problem["error"] == code)
}

/// Why no answer came: in words, where somebody has to do something about it.
fn readable(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        if let Some(advice) = certificate_advice(cause) {
            return format!("{text}: {advice}");
        }
        source = cause.source();
    }
    text
}

fn certificate_advice(cause: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    use rustls::CertificateError as Wrong;
    let rustls::Error::InvalidCertificate(wrong) = tls_error(cause)? else {
        return None;
    };
    Some(match wrong {
        // A bad signature: another authority of the same name.
        Wrong::UnknownIssuer | Wrong::BadSignature => {
            "the product's certificate is not signed by an authority that this agent trusts, see tls.ca_file"
        }
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => {
            "the product's certificate is for another host than that of api_url"
        }
        Wrong::Expired | Wrong::ExpiredContext { .. } => {
            "the product's certificate has expired, or this host's clock is wrong"
        }
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => {
            "the product's certificate is not valid yet, or this host's clock is wrong"
        }
        _ => return None,
    })
}

/// It comes wrapped in IO errors, which do not show what they wrap as their source.
fn tls_error<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref().or_else(|| {
        let wrapped = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
        tls_error(wrapped)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_products_own_word_says_that_there_is_no_such_command() {
        let own = r#"{"type":"about:blank","status":404,"error":"unknown_command"}"#;
        assert!(is_problem(own, "unknown_command"));
        for other in [r#"{"error":"not_found"}"#, "<html>unknown_command</html>", "[]", ""] {
            assert!(!is_problem(other, "unknown_command"), "{other}");
        }
    }
}
