//! What a service is made of.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use actix_web::web::ServiceConfig;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use utoipa::openapi::OpenApi;

use crate::health::Check;
use crate::shutdown::Shutdown;

pub(crate) type Configure = Arc<Mutex<dyn Fn(&mut ServiceConfig) + Send>>;
pub(crate) type WorkerStart = Box<dyn FnOnce(Shutdown) -> BoxFuture<'static, anyhow::Result<()>> + Send>;
pub(crate) type StopHook = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// The parts of a service, in the order in which they end: HTTP, workers, hooks.
pub struct Service {
    pub(crate) default_address: SocketAddr,
    pub(crate) http: Option<(OpenApi, Configure)>,
    pub(crate) checks: Vec<Check>,
    pub(crate) workers: Vec<(&'static str, WorkerStart)>,
    pub(crate) hooks: Vec<(&'static str, StopHook)>,
}

impl Default for Service {
    fn default() -> Self {
        Self::new()
    }
}

impl Service {
    /// A service that only tells its health and metrics.
    pub fn new() -> Self {
        Self {
            default_address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            http: None,
            checks: Vec::new(),
            workers: Vec::new(),
            hooks: Vec::new(),
        }
    }

    /// Where to listen when `HTTP_ADDR` is not set: this port on 127.0.0.1 (8080 if this is not called).
    #[must_use]
    pub fn default_port(mut self, port: u16) -> Self {
        self.default_address.set_port(port);
        self
    }

    /// Serves these routes, and their document under `/api-docs/<service>/`. `configure` runs once for each HTTP thread:
    /// make shared state before it and pass clones in.
    #[must_use]
    pub fn http(mut self, openapi: OpenApi, configure: impl Fn(&mut ServiceConfig) + Send + 'static) -> Self {
        self.http = Some((openapi, Arc::new(Mutex::new(configure))));
        self
    }

    /// A dependency that `/readyz` asks for, with 2 s to answer; the error says what is wrong.
    #[must_use]
    pub fn check<F, Fut>(mut self, name: &'static str, probe: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push(Check {
            name,
            probe: Arc::new(move || probe().boxed()),
        });
        self
    }

    /// A task that runs until shutdown is requested. Ending earlier, in whatever way, ends the service non-zero.
    #[must_use]
    pub fn worker<F, Fut>(mut self, name: &'static str, start: F) -> Self
    where
        F: FnOnce(Shutdown) -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        self.workers
            .push((name, Box::new(move |shutdown| start(shutdown).boxed())));
        self
    }

    /// Runs after HTTP and the workers have ended, in the order of these calls.
    #[must_use]
    pub fn on_stop<F, Fut>(mut self, name: &'static str, hook: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.hooks.push((name, Box::new(move || hook().boxed())));
        self
    }
}
