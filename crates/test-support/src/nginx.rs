use std::path::PathBuf;
use std::process::Command;

use crate::command::script;
use crate::{free_port, shared_servers, test_namespace};

/// nginx with the real template before the services of one test.
#[derive(Debug)]
pub struct Nginx {
    directory: PathBuf,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

impl Nginx {
    /// In front of services at these addresses (`HOST:PORT`).
    pub async fn start(ingest: &str, auth: &str, query_api: &str, realtime_gateway: &str) -> Self {
        let directory = shared_servers()
            .directory
            .join("private")
            .join(test_namespace())
            .join("nginx");
        let port = free_port().to_string();
        let upstreams = [
            ("INGEST_ADDR", ingest),
            ("AUTH_ADDR", auth),
            ("QUERY_API_ADDR", query_api),
            ("REALTIME_GATEWAY_ADDR", realtime_gateway),
        ];
        let environment = upstreams.map(|(key, value)| (key.to_owned(), value.to_owned()));
        script(
            "nginx",
            &["start".as_ref(), directory.as_os_str(), port.as_ref()],
            &environment,
        )
        .await;
        Self {
            directory,
            url: format!("http://127.0.0.1:{port}"),
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
