//! Runs the demo service in this process, and talks to it.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use service_kit::{KitConfig, Running, Service};

/// For plain HTTP.
pub(crate) fn http_client() -> reqwest::Client {
    // Fails only when it has been done already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .tls_certs_only([])
        .build()
        .expect("a client without certificate authorities")
}

/// A running service and a client for it.
pub(crate) struct Demo {
    running: Running,
    client: reqwest::Client,
}

impl Demo {
    pub(crate) async fn start(service: Service) -> Self {
        let config = KitConfig {
            http_addr: Some(([127, 0, 0, 1], 0).into()),
            max_json_bytes: 2048,
            ..KitConfig::default()
        };
        let running = service_kit::start("demo", service, &config).await.expect("a free port");
        Self {
            running,
            client: http_client(),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://{}{path}", self.running.address()))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.expect("an answer")
    }

    pub(crate) async fn stop(self) {
        self.running.stop().await.expect("a clean stop");
    }
}

/// The parts of an answer that tests look at: status, content type, body.
pub(crate) async fn problem(response: Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let kind = header(&response, "content-type");
    (status, kind, response.json().await.expect("a JSON body"))
}

/// A header's value, empty if there is none.
pub(crate) fn header(response: &Response, name: &str) -> String {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().expect("a plain header").to_owned())
        .unwrap_or_default()
}
