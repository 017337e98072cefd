use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;

/// A client for plain HTTP, cheap to make: it reads no certificate authorities.
///
/// # Panics
/// When no client can be made.
pub fn http_client() -> Client {
    install_tls_provider();
    Client::builder()
        .tls_certs_only([])
        // Longer than any answer takes, so that a test fails with a sentence rather than hangs.
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client without certificate authorities")
}

/// Without it, no client can be made in this process, not even one for plain HTTP.
pub(crate) fn install_tls_provider() {
    // Fails only when it has been done already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Reply {
    /// Sends the request.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn try_to(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let answer = request.send().await?;
        Ok(Self {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.text().await?,
        })
    }

    /// Sends the request.
    ///
    /// # Panics
    /// When no whole answer came.
    pub async fn to(request: RequestBuilder) -> Self {
        Self::try_to(request)
            .await
            .unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// # Panics
    /// When the status is another one; the message holds the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "the answer was {}", self.body);
        self
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{} with a body that is not JSON: {}", self.status, self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
