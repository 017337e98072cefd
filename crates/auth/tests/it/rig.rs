use std::process::ExitStatus;

use argon2::{Argon2, PasswordHasher};
use db::audit::Actor;
use db::portal_users::{self, NewPortalUser};
use db::{DatabaseConfig, Db};
use domain::role::Role;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use test_support::{
    PrivateServers, Process, Reply, TestDatabase, free_port, run_binary, shared_servers, test_namespace,
};

pub(crate) const PASSWORD: &str = "Correct-h0rse-battery";

/// A database, and commands and services on it.
pub(crate) struct Rig {
    pub(crate) database: TestDatabase,
    pub(crate) namespace: String,
    environment: Vec<(String, String)>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let shared = shared_servers();
        Self::on(TestDatabase::create().await, &shared.nats_url, &shared.redis_url)
    }

    /// On servers that the test may stop.
    pub(crate) fn on_private(servers: &PrivateServers) -> Self {
        Self::on(servers.database(), &servers.nats_url(), &servers.redis_url())
    }

    fn on(database: TestDatabase, nats_url: &str, redis_url: &str) -> Self {
        let namespace = test_namespace();
        let environment = [
            ("DATABASE_URL", database.url.as_str()),
            ("DATABASE_POOL_SIZE", "4"),
            ("NATS_URL", nats_url),
            ("BUS_NAMESPACE", &namespace),
            ("REDIS_URL", redis_url),
            ("LOGIN_REQUESTS_PER_MINUTE", "1000000"),
            ("REDIS_PREFIX", &namespace),
            ("HTTP_WORKERS", "1"),
        ];
        let environment = environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        Self {
            database,
            namespace,
            environment,
        }
    }

    /// Sets a variable of everything that is started from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Runs a command that succeeds and gives its standard output.
    pub(crate) async fn run(&self, arguments: &[&str]) -> String {
        run_binary("auth", arguments, &self.environment).await
    }

    /// Runs a command and gives how it ended, with all that it said.
    pub(crate) async fn try_run(&self, arguments: &[&str]) -> (ExitStatus, String) {
        let process = Process::spawn("auth", arguments, &self.environment);
        let status = process.exited().await;
        (status, process.log())
    }

    /// Starts a replica of the service with a signing key of its own.
    pub(crate) async fn serve(&self) -> Auth {
        let key_file = std::env::temp_dir().join(format!("{}.pem", test_namespace()));
        let mut environment = self.environment.clone();
        environment.push(("HTTP_ADDR".to_owned(), format!("127.0.0.1:{}", free_port())));
        environment.push(("AUTH_SIGNING_KEY_FILE".to_owned(), key_file.display().to_string()));
        let secrets_file = std::env::temp_dir().join(format!("{}.secrets", self.namespace));
        environment.push(("AUTH_SECRETS_KEY_FILE".to_owned(), secrets_file.display().to_string()));
        let process = Process::spawn("auth", &[], &environment);
        process.ready().await;
        Auth {
            process,
            client: test_support::http_client(),
            key_file,
            secrets_file,
        }
    }

    /// The database as the services see it.
    pub(crate) async fn db(&self) -> Db {
        let config = json!({"database_url": self.database.url, "database_pool_size": 2});
        let config: DatabaseConfig = serde_json::from_value(config).unwrap();
        Db::connect(&config).await.unwrap()
    }

    /// Creates a portal user with [`PASSWORD`].
    pub(crate) async fn portal_user(&self, username: &str, roles: &[Role]) -> i64 {
        let password_hash = Argon2::default()
            .hash_password(PASSWORD.as_bytes())
            .unwrap()
            .to_string();
        let new = NewPortalUser {
            username: username.to_owned(),
            password_hash,
            roles: roles.to_vec(),
            ..NewPortalUser::default()
        };
        portal_users::create(&self.db().await, new, Actor::named("test"))
            .await
            .unwrap()
            .unwrap()
    }
}

/// A running auth service.
pub(crate) struct Auth {
    pub(crate) process: Process,
    client: Client,
    key_file: std::path::PathBuf,
    /// All replicas of a rig have this one.
    pub(crate) secrets_file: std::path::PathBuf,
}

impl Auth {
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.process.url()))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.process.url()))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.process.url()))
    }

    pub(crate) async fn login(&self, username: &str, password: &str) -> Reply {
        self.login_with(&json!({"username": username, "password": password}))
            .await
    }

    /// The request id is fixed, so that answers can be compared.
    pub(crate) async fn login_with(&self, body: &Value) -> Reply {
        Reply::to(
            self.post("/api/auth/login")
                .header("x-request-id", "login-1")
                .json(body),
        )
        .await
    }

    /// The access token of a user with [`PASSWORD`].
    pub(crate) async fn token(&self, username: &str) -> String {
        let answer = self.login(username, PASSWORD).await.expect(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn me(&self, token: &str) -> Reply {
        Reply::to(self.get("/api/auth/me").bearer_auth(token)).await
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.key_file);
        let _ = std::fs::remove_file(&self.secrets_file);
    }
}
