use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::script;
use crate::{free_port, shared_servers, test_namespace};

/// nginx with the real template before the services of one test.
#[derive(Debug)]
pub struct Nginx {
    directory: PathBuf,
    /// `http://127.0.0.1:PORT`, or `https://…`
    pub url: String,
}

impl Nginx {
    /// In front of services at these addresses (`HOST:PORT`).
    pub async fn start(ingest: &str, auth: &str, query_api: &str, realtime_gateway: &str) -> Self {
        let upstreams = [
            ("INGEST_ADDR", ingest),
            ("AUTH_ADDR", auth),
            ("QUERY_API_ADDR", query_api),
            ("REALTIME_GATEWAY_ADDR", realtime_gateway),
        ];
        Self::start_with("nginx", free_port(), "http", &upstreams).await
    }

    /// In front of this ingest alone, over TLS only, with a certificate and its key as PEM files. `name` tells several of one
    /// test apart.
    pub async fn start_tls(name: &str, ingest: &str, certificate: &Path, key: &Path) -> Self {
        Self::start_tls_at(name, free_port(), ingest, certificate, key).await
    }

    /// Like [`Self::start_tls`], where another one was.
    pub async fn start_tls_at(name: &str, port: u16, ingest: &str, certificate: &Path, key: &Path) -> Self {
        let (certificate, key) = (certificate.display().to_string(), key.display().to_string());
        let variables = [
            ("INGEST_ADDR", ingest),
            ("AUTH_ADDR", "127.0.0.1:1"),
            ("QUERY_API_ADDR", "127.0.0.1:1"),
            ("REALTIME_GATEWAY_ADDR", "127.0.0.1:1"),
            ("TLS_CERTIFICATE", &certificate),
            ("TLS_KEY", &key),
        ];
        Self::start_with(&format!("nginx-{name}"), port, "https", &variables).await
    }

    async fn start_with(folder: &str, port: u16, scheme: &str, variables: &[(&str, &str)]) -> Self {
        let private = shared_servers().directory.join("private");
        // `with-test-servers` looks for it there, should the test be killed.
        let directory = private.join(format!("{}-{folder}", test_namespace())).join("nginx");
        let port = port.to_string();
        let environment: Vec<(String, String)> = variables
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        script(
            "nginx",
            &["start".as_ref(), directory.as_os_str(), port.as_ref()],
            &environment,
        )
        .await;
        Self {
            directory,
            url: format!("{scheme}://127.0.0.1:{port}"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = Command::new(shared_servers().scripts.join("nginx"))
            .arg("kill")
            .arg(&self.directory)
            .status();
    }
}
