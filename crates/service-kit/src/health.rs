//! `/healthz`, `/readyz`, `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use futures_util::future::{BoxFuture, join_all};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use tokio::runtime::Handle;

use crate::shutdown::Shutdown;

const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// One dependency's name and how to ask for it.
#[derive(Clone)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) probe: Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>,
}

/// What the health endpoints look at.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) checks: Vec<Check>,
    pub(crate) stopping: Shutdown,
    pub(crate) metrics: PrometheusHandle,
    /// Probes run where the service's connections live, so that a dropped request never tears one.
    pub(crate) runtime: Handle,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    checks: BTreeMap<&'static str, CheckResult>,
}

#[derive(Serialize)]
struct CheckResult {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Adds the endpoints.
pub(crate) fn configure(health: Health) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config
            .app_data(web::Data::new(health))
            .service(web::resource("/healthz").route(web::get().to(healthz)))
            .service(web::resource("/readyz").route(web::get().to(readyz)))
            .service(web::resource("/metrics").route(web::get().to(metrics)));
    }
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(serde_json::json!({"status": "ok"}))
}

async fn readyz(health: web::Data<Health>) -> HttpResponse {
    let results = join_all(health.checks.iter().map(|check| ask(&health.runtime, check))).await;
    let stopping = health.stopping.is_requested();
    let ready = !stopping && results.iter().all(|(_, result)| result.detail.is_none());
    let status = match (stopping, ready) {
        (true, _) => "stopping",
        (false, true) => "ok",
        (false, false) => "unavailable",
    };
    let mut response = if ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    let body = Readiness {
        status,
        checks: results.into_iter().collect(),
    };
    response.insert_header((CACHE_CONTROL, "no-store")).json(body)
}

async fn ask(runtime: &Handle, check: &Check) -> (&'static str, CheckResult) {
    let probe = check.probe.clone();
    let asked = runtime.spawn(async move { tokio::time::timeout(CHECK_TIMEOUT, probe()).await });
    let detail = match asked.await {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(detail))) => Some(detail),
        Ok(Err(_)) => Some(format!("no answer within {} s", CHECK_TIMEOUT.as_secs())),
        Err(_) => Some("the check itself failed".to_owned()),
    };
    let status = if detail.is_none() { "ok" } else { "failed" };
    (check.name, CheckResult { status, detail })
}

async fn metrics(health: web::Data<Health>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8"))
        .body(health.metrics.render())
}

#[cfg(test)]
mod tests {
    use actix_web::http::StatusCode;
    use actix_web::{App, test};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[actix_web::test]
    async fn a_stopping_service_is_not_ready_but_alive() {
        let (trigger, stopping) = Shutdown::pair();
        let metrics = PrometheusBuilder::new().build_recorder().handle();
        let health = Health {
            checks: Vec::new(),
            stopping,
            metrics,
            runtime: Handle::current(),
        };
        let app = test::init_service(App::new().configure(configure(health))).await;
        let status = async |path: &str| {
            test::call_service(&app, test::TestRequest::get().uri(path).to_request())
                .await
                .status()
        };
        assert_eq!(status("/readyz").await, StatusCode::OK);
        trigger.request();
        assert_eq!(status("/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status("/healthz").await, StatusCode::OK);
    }
}
