use access_token::{Claims, Signer};
use bus::proto::{DeltaKind, SessionDelta, SessionDeltas};
use bus::{Bus, BusConfig};
use db::audit::Actor;
use db::signing_keys::{self, SigningKey};
use db::{DatabaseConfig, Db};
use domain::role::Role;
use serde_json::json;
use test_support::{
    PrivateServers, Process, Socket, SocketRequest, TestDatabase, free_port, new_uuid, now, redis_command,
    shared_servers, test_namespace,
};
use uuid::Uuid;

/// Everything around a gateway, which the test starts; and the key that signs its callers' tokens.
pub(crate) struct Rig {
    pub(crate) database: TestDatabase,
    pub(crate) bus: Bus,
    pub(crate) servers: Option<PrivateServers>,
    signer: Signer,
    environment: Vec<(String, String)>,
    redis_url: String,
    namespace: String,
}

impl Rig {
    /// On the run's shared servers.
    pub(crate) async fn new() -> Self {
        let shared = shared_servers();
        let (nats, redis) = (shared.nats_url.clone(), shared.redis_url.clone());
        Self::on(TestDatabase::create().await, None, &nats, &redis).await
    }

    /// On servers that the test may stop.
    pub(crate) async fn on_private_servers() -> Self {
        let servers = PrivateServers::start().await;
        let (nats, redis) = (servers.nats_url(), servers.redis_url());
        Self::on(servers.database(), Some(servers), &nats, &redis).await
    }

    async fn on(database: TestDatabase, servers: Option<PrivateServers>, nats_url: &str, redis_url: &str) -> Self {
        let namespace = test_namespace();
        let bus = Bus::connect(&BusConfig::new(nats_url, &namespace)).await.unwrap();
        let signer = Signer::from_pem(Signer::generate_pem().unwrap().as_bytes()).unwrap();
        publish(&database, &signer).await;
        let environment = [
            ("DATABASE_URL", database.url.as_str()),
            ("DATABASE_POOL_SIZE", "2"),
            ("NATS_URL", nats_url),
            ("BUS_NAMESPACE", &namespace),
            ("REDIS_URL", redis_url),
            ("REDIS_PREFIX", &namespace),
            ("HTTP_WORKERS", "1"),
            ("LOG_FORMAT", "text"),
            ("LOG_LEVEL", "info,realtime_gateway=debug"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let rig = Self {
            database,
            bus,
            servers,
            signer,
            environment: environment.into(),
            redis_url: redis_url.to_owned(),
            namespace,
        };
        rig.fill_cache().await;
        rig.fill_denylist().await;
        rig
    }

    /// A gateway that is ready, with these settings besides.
    pub(crate) async fn gateway(&self, settings: &[(&str, &str)]) -> Process {
        let mut environment = self.environment.clone();
        environment.push(("HTTP_ADDR".to_owned(), format!("127.0.0.1:{}", free_port())));
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        environment.extend(settings.iter().map(own));
        let gateway = Process::spawn("realtime-gateway", &[], &environment);
        gateway.ready().await;
        gateway
    }

    /// A viewer on a socket of this gateway, before anything was read.
    pub(crate) async fn enters(&self, gateway: &Process) -> Socket {
        SocketRequest::to(&gateway.url()).enter(&self.token()).await
    }

    /// A viewer's token for ten minutes.
    pub(crate) fn token(&self) -> String {
        self.token_with(&[Role::Viewer], 600)
    }

    pub(crate) fn token_with(&self, roles: &[Role], seconds: i64) -> String {
        self.token_of(1, roles, seconds)
    }

    pub(crate) fn token_of(&self, portal_user: i64, roles: &[Role], seconds: i64) -> String {
        let issued = now().unix_timestamp();
        let claims = Claims {
            iss: "openvpn-telemetry".to_owned(),
            aud: "openvpn-telemetry-portal".to_owned(),
            sub: portal_user.to_string(),
            username: format!("user{portal_user}"),
            roles: roles.to_vec(),
            sid: Uuid::from_u128(7),
            token_version: 1,
            required_action: None,
            jti: new_uuid(),
            iat: issued,
            exp: issued + seconds,
        };
        self.signer.sign(&claims).unwrap()
    }

    pub(crate) async fn redis(&self, command: &[&str]) -> Vec<String> {
        redis_command(&self.redis_url, command).await
    }

    /// A key of this rig.
    pub(crate) fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.namespace)
    }

    /// As session-processor leaves it when no session is active.
    pub(crate) async fn fill_cache(&self) {
        self.redis(&["SET", &self.key("live:complete"), "1"]).await;
    }

    /// As auth leaves it when nothing is revoked.
    pub(crate) async fn fill_denylist(&self) {
        self.redis(&["SET", &self.key("denied:filled"), "1"]).await;
    }

    /// Puts an active session into the live cache.
    pub(crate) async fn cached(&self, session: &Session) {
        let value = format!("{}\n{}", session.version, session.json());
        let key = self.key(&format!("live:session:{}", session.id));
        self.redis(&["SET", &key, &value]).await;
        self.redis(&["ZADD", &self.key("live:active"), "1", &session.id.to_string()])
            .await;
    }

    /// Puts an active session into the database, with its server and user.
    pub(crate) async fn stored(&self, session: &Session) {
        let Session {
            id, version, server, ..
        } = session;
        let insert = format!(
            "INSERT INTO vpn_server (name) VALUES ('{server}') ON CONFLICT DO NOTHING;
             INSERT INTO vpn_user (common_name) VALUES ('jdoe') ON CONFLICT DO NOTHING;
             INSERT INTO vpn_session (id, server_id, vpn_user_id, connected_at, last_seen_at, session_status, version)
             SELECT '{id}', s.id, u.id, now(), now(), 'active', {version} FROM vpn_server s, vpn_user u WHERE s.name = '{server}'
             ON CONFLICT (id) DO UPDATE SET version = {version}"
        );
        self.database.sql(&insert).await;
    }

    /// Publishes changes as one message.
    pub(crate) async fn tells(&self, changes: &[Session]) {
        self.bus.publish_deltas(&[message(changes)]).await.unwrap();
    }
}

/// What session-processor publishes about sessions of one server.
pub(crate) fn message(changes: &[Session]) -> SessionDeltas {
    let delta = |session: &Session| SessionDelta {
        kind: session.kind.into(),
        session_id: session.id.as_bytes().to_vec(),
        version: session.version,
        session_json: session.json(),
    };
    SessionDeltas {
        server_name: changes[0].server.clone(),
        sessions: changes.iter().map(delta).collect(),
    }
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

/// A session at one version.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    pub(crate) version: u32,
    pub(crate) server: String,
    kind: DeltaKind,
    padding: usize,
}

/// A session of `vpn-1` that has just connected.
pub(crate) fn session(number: u128) -> Session {
    session_of("vpn-1", number)
}

pub(crate) fn session_of(server: &str, number: u128) -> Session {
    Session {
        id: Uuid::from_u128(number),
        version: 1,
        server: server.to_owned(),
        kind: DeltaKind::Connected,
        padding: 0,
    }
}

impl Session {
    /// The same one, updated so many times.
    pub(crate) fn updated(&self, version: u32) -> Self {
        Self {
            version,
            kind: DeltaKind::Updated,
            ..self.clone()
        }
    }

    /// The same one, ended with the version after this.
    pub(crate) fn disconnected(&self) -> Self {
        Self {
            version: self.version + 1,
            kind: DeltaKind::Disconnected,
            ..self.clone()
        }
    }

    /// The same one, larger by so many bytes.
    pub(crate) fn padded(&self, padding: usize) -> Self {
        Self {
            padding,
            ..self.clone()
        }
    }

    pub(crate) fn json(&self) -> String {
        let status = match self.kind {
            DeltaKind::Disconnected => "disconnected",
            _ => "active",
        };
        json!({
            "id": self.id,
            "common_name": "jdoe",
            "server_instance": self.server,
            "session_status": status,
            "version": self.version,
            "padding": "x".repeat(self.padding),
        })
        .to_string()
    }
}
