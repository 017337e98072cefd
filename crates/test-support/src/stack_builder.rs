use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;

use crate::entrance::Entrance;
use crate::{
    Nginx, PrivateServers, Process, Stack, TestDatabase, free_port, http_client, shared_servers, test_namespace,
};

/// What a [`Stack`] shall consist of.
#[derive(Debug)]
pub struct StackBuilder {
    ingests: usize,
    processors: usize,
    realtime_gateways: usize,
    nginx: bool,
    private_servers: bool,
    /// Service (or `*`), variable, value.
    variables: Vec<(String, String, String)>,
}

impl Default for StackBuilder {
    fn default() -> Self {
        Self {
            ingests: 1,
            processors: 1,
            realtime_gateways: 0,
            nginx: false,
            private_servers: false,
            variables: Vec::new(),
        }
    }
}

impl StackBuilder {
    #[must_use]
    pub fn ingests(mut self, replicas: usize) -> Self {
        self.ingests = replicas;
        self
    }

    #[must_use]
    pub fn processors(mut self, replicas: usize) -> Self {
        self.processors = replicas;
        self
    }

    /// Replicas of realtime-gateway; without this call there is none.
    #[must_use]
    pub fn realtime(mut self, replicas: usize) -> Self {
        self.realtime_gateways = replicas;
        self
    }

    /// Requests go through nginx with the template that is deployed.
    #[must_use]
    pub fn nginx(mut self) -> Self {
        self.nginx = true;
        self
    }

    /// PostgreSQL, NATS and Redis of its own, which the test may stop.
    #[must_use]
    pub fn private_servers(mut self) -> Self {
        self.private_servers = true;
        self
    }

    /// Sets a variable of one service (`ingest`, ...), or of all with `*`.
    #[must_use]
    pub fn with(mut self, service: &str, variable: &str, value: &str) -> Self {
        self.variables
            .push((service.to_owned(), variable.to_owned(), value.to_owned()));
        self
    }

    /// Starts everything and waits until all are ready.
    pub async fn start(self) -> Stack {
        let (servers, database) = self.storage().await;
        let environment = self.environment(servers.as_ref(), &database);
        let auth = self.spawn("auth", &environment);
        let ingests: Vec<_> = (0..self.ingests).map(|_| self.spawn("ingest", &environment)).collect();
        let processors: Vec<_> = (0..self.processors)
            .map(|_| self.spawn("session-processor", &environment))
            .collect();
        let query_api = self.spawn("query-api", &environment);
        let realtime_gateways: Vec<_> = (0..self.realtime_gateways)
            .map(|_| self.spawn("realtime-gateway", &environment))
            .collect();
        let several = ingests.iter().chain(&processors).chain(&realtime_gateways);
        for process in several.chain([&auth, &query_api]) {
            process.ready().await;
        }
        let realtime_gateway = realtime_gateways.first().map_or("127.0.0.1:1", Process::address);
        let nginx = match self.nginx {
            true => Some(
                Nginx::start(
                    ingests[0].address(),
                    auth.address(),
                    query_api.address(),
                    realtime_gateway,
                )
                .await,
            ),
            false => None,
        };
        let entrance = Entrance {
            client: http_client(),
            nginx: nginx.as_ref().map(|nginx| nginx.url.clone()),
            ingests: ingests.iter().map(Process::url).collect(),
            auth: auth.url(),
            query_api: query_api.url(),
            realtime_gateway: realtime_gateways.first().map(Process::url),
            environment: environment.clone(),
            first_admin: OnceCell::new(),
        };
        Stack {
            nginx,
            auth,
            ingests,
            processors,
            query_api,
            realtime_gateways,
            database,
            servers,
            environment,
            entrance: Arc::new(entrance),
            agents: Mutex::new(HashMap::new()),
        }
    }

    async fn storage(&self) -> (Option<PrivateServers>, TestDatabase) {
        if !self.private_servers {
            return (None, TestDatabase::create().await);
        }
        let servers = PrivateServers::start().await;
        let database = servers.database();
        (Some(servers), database)
    }

    fn environment(&self, servers: Option<&PrivateServers>, database: &TestDatabase) -> Vec<(String, String)> {
        let namespace = test_namespace();
        let shared = shared_servers();
        let nats = servers.map_or_else(|| shared.nats_url.clone(), PrivateServers::nats_url);
        let redis = servers.map_or_else(|| shared.redis_url.clone(), PrivateServers::redis_url);
        let signing_key = shared.directory.join(format!("{namespace}.pem")).display().to_string();
        let mut environment: Vec<_> = [
            ("DATABASE_URL", database.url.as_str()),
            ("DATABASE_POOL_SIZE", "4"),
            ("NATS_URL", &nats),
            ("BUS_NAMESPACE", &namespace),
            ("REDIS_URL", &redis),
            ("REDIS_PREFIX", &namespace),
            ("AUTH_SIGNING_KEY_FILE", &signing_key),
            ("HTTP_WORKERS", "1"),
            // Tests ask again and again until something is so.
            ("API_REQUESTS_PER_MINUTE", "1000000"),
            ("LOG_FORMAT", "text"),
            ("SHUTDOWN_TIMEOUT_SECONDS", "10"),
            ("RUST_BACKTRACE", "1"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        environment.extend(self.variables_of("*"));
        environment
    }

    fn variables_of(&self, service: &str) -> impl Iterator<Item = (String, String)> {
        let own = self.variables.iter().filter(move |(of, ..)| of == service);
        own.map(|(_, variable, value)| (variable.clone(), value.clone()))
    }

    fn spawn(&self, service: &str, environment: &[(String, String)]) -> Process {
        let mut environment = environment.to_vec();
        environment.push(("HTTP_ADDR".to_owned(), format!("127.0.0.1:{}", free_port())));
        environment.extend(self.variables_of(service));
        Process::spawn(service, &[], &environment)
    }
}
