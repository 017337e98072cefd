use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::{Reply, run_binary};

const ADMIN_USERNAME: &str = "admin";
/// The password of the first admin, and of each user of `Stack::portal_user`.
pub const PORTAL_PASSWORD: &str = "The first password 1!";

/// Where requests go in: nginx, or without one each service by the same paths.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) client: Client,
    pub(crate) nginx: Option<String>,
    pub(crate) ingests: Vec<String>,
    pub(crate) auth: String,
    pub(crate) query_api: String,
    pub(crate) realtime_gateway: Option<String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) first_admin: OnceCell<String>,
}

impl Entrance {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let base = self.nginx.as_deref().unwrap_or_else(|| self.service_behind(path));
        self.client.request(method, format!("{base}{path}"))
    }

    pub(crate) fn ingest_request(&self, replica: usize, method: Method, path: &str) -> RequestBuilder {
        match replica {
            0 => self.request(method, path),
            _ => self.client.request(method, format!("{}{path}", self.ingests[replica])),
        }
    }

    fn service_behind(&self, path: &str) -> &str {
        let path = path.split('?').next().unwrap_or(path);
        let auth = [
            "/api/auth/",
            "/api/profile",
            "/api/portal-users",
            "/api/portal-roles",
            "/api-docs/auth/",
        ];
        let keys_of_a_server = path.starts_with("/api/servers/") && path.split('/').nth(4) == Some("keys");
        if path.starts_with("/api/v1/") || path.starts_with("/api-docs/ingest/") {
            &self.ingests[0]
        } else if keys_of_a_server || auth.iter().any(|prefix| path.starts_with(prefix)) {
            &self.auth
        } else if path == "/ws" || path.starts_with("/api-docs/realtime-gateway/") {
            let gateway = self.realtime_gateway.as_deref();
            gateway.expect("the stack was built with realtime()")
        } else {
            &self.query_api
        }
    }

    /// Registers a VPN server and gives a new API key for it.
    pub(crate) async fn register_server(&self, name: &str, duplicate_cn: bool) -> String {
        let mut arguments = vec!["create-server", name];
        arguments.extend(duplicate_cn.then_some("--duplicate-cn"));
        run_binary("auth", &arguments, &self.environment).await;
        let printed = run_binary("auth", &["create-key", name], &self.environment).await;
        printed
            .lines()
            .last()
            .expect("the key is the last line")
            .trim()
            .to_owned()
    }

    /// Logs in and gives the access token.
    pub(crate) async fn log_in(&self, username: &str, password: &str) -> String {
        let login = json!({"username": username, "password": password});
        let reply = Reply::to(self.request(Method::POST, "/api/auth/login").json(&login))
            .await
            .expect(200);
        reply.json()["access_token"]
            .as_str()
            .expect("an access token")
            .to_owned()
    }

    /// An access token of the first admin, who is created if need be.
    pub(crate) async fn first_admin_token(&self) -> &str {
        let token = self.first_admin.get_or_init(async || {
            let mut environment = self.environment.clone();
            environment.push(("ADMIN_USERNAME".to_owned(), ADMIN_USERNAME.to_owned()));
            environment.push(("ADMIN_PASSWORD".to_owned(), PORTAL_PASSWORD.to_owned()));
            run_binary("auth", &["create-admin"], &environment).await;
            self.log_in(ADMIN_USERNAME, PORTAL_PASSWORD).await
        });
        token.await
    }
}
