use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::entrance::{Entrance, PORTAL_PASSWORD};
use crate::{Agent, Api, Nginx, PrivateServers, Process, StackBuilder, TestDatabase, run_binary};

/// The services of one test with a database, bus namespace and Redis prefix of their own. All ends with the test.
#[derive(Debug)]
pub struct Stack {
    // Dropped in this order: what uses the servers before the servers.
    pub(crate) nginx: Option<Nginx>,
    pub(crate) auth: Process,
    pub(crate) ingests: Vec<Process>,
    pub(crate) processors: Vec<Process>,
    pub(crate) query_api: Process,
    pub(crate) realtime_gateways: Vec<Process>,
    pub(crate) database: TestDatabase,
    pub(crate) servers: Option<PrivateServers>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) entrance: Arc<Entrance>,
    pub(crate) agents: Mutex<HashMap<String, Agent>>,
}

impl Stack {
    /// One of each service on the run's shared servers.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> StackBuilder {
        StackBuilder::default()
    }

    /// The agent of a VPN server; the same name gives the same agent.
    pub fn agent(&self, server_id: &str) -> Agent {
        let mut agents = self.agents.lock().expect("not poisoned");
        let new = || Agent::new(Arc::clone(&self.entrance), server_id);
        agents.entry(server_id.to_owned()).or_insert_with(new).clone()
    }

    /// The portal's API as the first admin.
    pub fn api(&self) -> Api {
        Api::as_first_admin(Arc::clone(&self.entrance))
    }

    /// The portal's API without a login.
    pub fn anonymous(&self) -> Api {
        Api::anonymous(Arc::clone(&self.entrance))
    }

    /// The portal's API as a new portal user with these roles, logged in. The password is that of the first admin.
    pub async fn portal_user(&self, username: &str, roles: &[&str]) -> Api {
        self.entrance.first_admin_token().await;
        let insert = format!(
            "WITH new AS (INSERT INTO portal_user (username, password_hash)
                SELECT '{username}', password_hash FROM portal_user ORDER BY id LIMIT 1 RETURNING id)
            INSERT INTO portal_user_role SELECT new.id, r.id FROM new, portal_role r WHERE r.name = ANY('{{{}}}')",
            roles.join(",")
        );
        self.database.sql(&insert).await;
        self.log_in_again(username).await
    }

    /// The portal's API as a user of [`Self::portal_user`], with a new access token.
    pub async fn log_in_again(&self, username: &str) -> Api {
        self.anonymous().log_in(username, PORTAL_PASSWORD).await
    }

    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// The servers of this stack alone.
    ///
    /// # Panics
    /// When it was not built with [`StackBuilder::private_servers`].
    pub fn servers(&self) -> &PrivateServers {
        self.servers
            .as_ref()
            .expect("the stack was built with private_servers()")
    }

    pub fn auth(&self) -> &Process {
        &self.auth
    }

    /// A replica of ingest, from 0.
    pub fn ingest(&self, replica: usize) -> &Process {
        &self.ingests[replica]
    }

    /// A replica of session-processor, from 0.
    pub fn processor(&self, replica: usize) -> &Process {
        &self.processors[replica]
    }

    pub fn query_api(&self) -> &Process {
        &self.query_api
    }

    /// A replica of realtime-gateway, from 0; see [`StackBuilder::realtime`].
    pub fn realtime(&self, replica: usize) -> &Process {
        &self.realtime_gateways[replica]
    }

    /// Runs one of our command-line tools with this stack's configuration and gives its standard output.
    pub async fn run(&self, binary: &str, arguments: &[&str]) -> String {
        run_binary(binary, arguments, &self.environment).await
    }

    /// `DATABASE_URL` (the owner's; processes log in as themselves), `NATS_URL`, `BUS_NAMESPACE`, `REDIS_URL`, `REDIS_PREFIX`
    /// and what else all services share.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The value of a variable of [`Self::environment`].
    ///
    /// # Panics
    /// When no service has it.
    pub fn variable(&self, name: &str) -> &str {
        let found = self.environment.iter().find(|(key, _)| key == name);
        found.map_or_else(|| panic!("{name} is not set"), |(_, value)| value)
    }

    /// `http://127.0.0.1:PORT` of nginx.
    ///
    /// # Panics
    /// When it was not built with [`StackBuilder::nginx`].
    pub fn url(&self) -> &str {
        &self.nginx.as_ref().expect("the stack was built with nginx()").url
    }
}
