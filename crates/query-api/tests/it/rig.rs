use std::collections::BTreeMap;

use access_token::{AccessConfig, Claims, Denylist, Signer};
use db::audit::Actor;
use db::signing_keys::{self, SigningKey};
use db::{DatabaseConfig, Db};
use domain::role::Role;
use reqwest::Client;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use test_support::{Process, Reply, TestDatabase, free_port, new_uuid, now, shared_servers, test_namespace};
use uuid::Uuid;

/// A query-api on a database of its own, and the key that signs its callers' tokens.
pub(crate) struct Rig {
    pub(crate) database: TestDatabase,
    process: Process,
    client: Client,
    signer: Signer,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::on(TestDatabase::create().await).await
    }

    pub(crate) async fn on(database: TestDatabase) -> Self {
        Self::with(database, &[]).await
    }

    /// With these settings of its own.
    pub(crate) async fn with(database: TestDatabase, settings: &[(&str, &str)]) -> Self {
        let signer = Signer::from_pem(Signer::generate_pem().unwrap().as_bytes()).unwrap();
        publish(&database, &signer).await;
        database.sql(SOMEBODY).await;
        let servers = shared_servers();
        let namespace = test_namespace();
        fill_denylist(&servers.redis_url, &namespace).await;
        let environment = [
            ("NATS_URL", servers.nats_url.clone()),
            ("BUS_NAMESPACE", namespace.clone()),
            ("REDIS_URL", servers.redis_url.clone()),
            ("REDIS_PREFIX", namespace),
            ("API_REQUESTS_PER_MINUTE", "1000000".to_owned()),
            ("DATABASE_URL", database.url.clone()),
            ("DATABASE_POOL_SIZE", "4".to_owned()),
            ("HTTP_ADDR", format!("127.0.0.1:{}", free_port())),
            ("HTTP_WORKERS", "1".to_owned()),
            ("USAGE_CACHE_SECONDS", "0".to_owned()),
        ];
        let settings = settings.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let environment = environment.into_iter().chain(settings);
        let environment: Vec<(String, String)> = environment.map(|(name, value)| (name.to_owned(), value)).collect();
        let process = Process::spawn("query-api", &[], &environment);
        process.ready().await;
        Self {
            database,
            process,
            client: test_support::http_client(),
            signer,
        }
    }

    /// What a path answers to a caller with these roles.
    pub(crate) async fn get_as(&self, roles: &[Role], path: &str) -> Reply {
        let request = self.client.get(format!("{}{path}", self.process.url()));
        Reply::to(request.bearer_auth(self.token(roles))).await
    }

    /// What a path answers to a request with a JSON body, by a caller with these roles.
    pub(crate) async fn send_as(&self, roles: &[Role], method: &str, path: &str, body: Option<Value>) -> Reply {
        let method = method.parse().unwrap();
        let request = self.client.request(method, format!("{}{path}", self.process.url()));
        let request = request.bearer_auth(self.token(roles));
        Reply::to(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub(crate) async fn send_anonymously(&self, method: &str, path: &str) -> Reply {
        let method = method.parse().unwrap();
        Reply::to(self.client.request(method, format!("{}{path}", self.process.url()))).await
    }

    /// The JSON that a path answers to a viewer with 200.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.get_as(&[Role::Viewer], path).await.expect(200).json()
    }

    /// The problem that a path answers to a viewer with this status.
    pub(crate) async fn problem(&self, status: u16, path: &str) -> Value {
        let reply = self.get_as(&[Role::Viewer], path).await.expect(status);
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{path}");
        reply.json()
    }

    /// The headers and the bytes that a path answers to a viewer with 200.
    pub(crate) async fn download(&self, path: &str) -> (HeaderMap, Vec<u8>) {
        let request = self.client.get(format!("{}{path}", self.process.url()));
        let answer = request.bearer_auth(self.token(&[Role::Viewer])).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        let headers = answer.headers().clone();
        (headers, answer.bytes().await.unwrap().to_vec())
    }

    /// Reads the beginning of an answer and goes away.
    pub(crate) async fn abandon(&self, path: &str) {
        let request = self.client.get(format!("{}{path}", self.process.url()));
        let mut answer = request.bearer_auth(self.token(&[Role::Viewer])).send().await.unwrap();
        assert!(answer.chunk().await.unwrap().is_some());
    }

    /// Sends a 400 for exactly this parameter.
    pub(crate) async fn refuses(&self, path: &str, error: &str, parameter: &str) {
        let problem = self.problem(400, path).await;
        assert_eq!(
            (&problem["error"], &problem["parameter"]),
            (&json!(error), &json!(parameter)),
            "{path}: {problem}"
        );
    }

    pub(crate) async fn server(&self, name: &str) -> i64 {
        self.database
            .count(&format!("INSERT INTO vpn_server (name) VALUES ('{name}') RETURNING id"))
            .await
    }

    pub(crate) async fn user(&self, common_name: &str) -> i64 {
        let insert = format!("INSERT INTO vpn_user (common_name) VALUES ('{common_name}') RETURNING id");
        self.database.count(&insert).await
    }

    fn token(&self, roles: &[Role]) -> String {
        let issued = now().unix_timestamp();
        let claims = Claims {
            iss: "openvpn-telemetry".to_owned(),
            aud: "openvpn-telemetry-portal".to_owned(),
            sub: "1".to_owned(),
            username: "somebody".to_owned(),
            roles: roles.to_vec(),
            sid: Uuid::from_u128(1),
            token_version: 1,
            required_action: None,
            jti: new_uuid(),
            iat: issued,
            exp: issued + 600,
        };
        self.signer.sign(&claims).unwrap()
    }
}

/// Whose tokens the rig makes: what he does is told in the audit log under his id.
const SOMEBODY: &str = "INSERT INTO portal_user (id, username, password_hash) OVERRIDING SYSTEM VALUE \
    VALUES (1, 'somebody', '-') ON CONFLICT DO NOTHING";

/// As auth does at its start: nobody's token is revoked.
async fn fill_denylist(redis_url: &str, prefix: &str) {
    let config = json!({"redis_url": redis_url, "redis_prefix": prefix});
    let config: AccessConfig = serde_json::from_value(config).unwrap();
    Denylist::connect(&config).unwrap().fill(&[]).await.unwrap();
}

async fn publish(database: &TestDatabase, signer: &Signer) {
    let config = json!({"database_url": database.url, "database_pool_size": 1});
    let config: DatabaseConfig = serde_json::from_value(config).unwrap();
    let key = signer.public_key();
    let key = SigningKey {
        kid: key.kid.clone(),
        public_key: key.public_key,
    };
    let db = Db::connect(&config).await.unwrap();
    signing_keys::publish(&db, key, Actor::named("test")).await.unwrap();
}

/// A row of a table, as SQL literals by column.
pub(crate) struct Row {
    table: &'static str,
    columns: BTreeMap<&'static str, String>,
}

impl Row {
    pub(crate) fn of(table: &'static str) -> Self {
        Self {
            table,
            columns: BTreeMap::new(),
        }
    }

    /// A session that is active since then.
    pub(crate) fn session(id: u128, server: i64, user: i64, connected_at: &str) -> Self {
        Self::of("vpn_session")
            .with("id", Uuid::from_u128(id))
            .with("server_id", server)
            .with("vpn_user_id", user)
            .with("connected_at", connected_at)
            .with("last_seen_at", connected_at)
            .with("session_status", "active")
    }

    /// Ends a session by a report at that time.
    pub(crate) fn ended(self, at: &str) -> Self {
        self.with("session_status", "disconnected")
            .with("ended_by", "reported")
            .with("last_seen_at", at)
            .with("disconnected_at", at)
            .with("end_not_after", at)
    }

    #[expect(clippy::needless_pass_by_value, reason = "literals read better without a reference")]
    pub(crate) fn with(mut self, column: &'static str, value: impl ToString) -> Self {
        self.columns
            .insert(column, format!("'{}'", value.to_string().replace('\'', "''")));
        self
    }

    pub(crate) async fn insert(self, rig: &Rig) {
        if let Some(at) = self.columns.get("event_time") {
            rig.database.sql(&format!("SELECT ensure_event_partition({at})")).await;
        }
        let columns: Vec<&str> = self.columns.keys().copied().collect();
        let values: Vec<&str> = self.columns.values().map(String::as_str).collect();
        let insert = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.table,
            columns.join(", "),
            values.join(", ")
        );
        rig.database.sql(&insert).await;
    }
}

/// The ids of these sessions, as the numbers that tests gave them.
pub(crate) fn ids(list: &Value) -> Vec<u128> {
    let sessions = list["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| session["id"].as_str().unwrap().parse::<Uuid>().unwrap().as_u128())
        .collect()
}
