//! A small service that shows each thing the kit does.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, get, post, put, web};
use garde::Validate;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, RequestId, Service, Shutdown, trace};
use utoipa::OpenApi;

#[derive(Debug, Deserialize, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Config {
    pub(crate) demo_mode: String,
}

#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
pub(crate) struct Item {
    name: String,
    count: u32,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StrictItem {
    name: String,
    count: u32,
}

#[derive(Deserialize)]
struct Page {
    page: Option<u32>,
}

#[derive(OpenApi)]
#[openapi(info(title = "demo"), paths(get_item, create_item))]
struct Document;

/// One item.
#[utoipa::path(responses((status = 200, body = Item)))]
#[get("/items/{id}")]
async fn get_item(id: web::Path<u32>, page: web::Query<Page>) -> Json<Item> {
    Json(Item {
        name: format!("page {}", page.page.unwrap_or(1)),
        count: *id,
    })
}

/// Makes an item.
#[utoipa::path(responses((status = 200, body = Item)))]
#[post("/items")]
async fn create_item(item: Json<Item>) -> Json<Item> {
    item
}

/// Replaces an item, and takes nothing that is not one.
#[put("/items")]
async fn replace_item(item: Json<StrictItem>) -> Json<StrictItem> {
    item
}

#[get("/cached")]
async fn cached() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "max-age=60"))
        .finish()
}

#[get("/source")]
async fn source(request: HttpRequest) -> String {
    service_kit::client_ip(&request).to_string()
}

#[get("/teapot")]
async fn teapot() -> Result<HttpResponse, Problem> {
    Err(Problem::new(StatusCode::IM_A_TEAPOT, "teapot", "Short and stout.")
        .with("spouts", 1)
        .retry_after(7))
}

#[get("/broken")]
async fn broken() -> Result<HttpResponse, Problem> {
    Err(Problem::internal(anyhow::anyhow!("the secret reason")))
}

#[get("/foreign-error")]
async fn foreign_error() -> Result<HttpResponse, actix_web::Error> {
    Err(actix_web::error::ErrorInternalServerError("the secret reason"))
}

#[get("/whoami")]
async fn whoami(id: RequestId) -> String {
    id.to_string()
}

#[get("/traceparent")]
async fn traceparent() -> String {
    tracing::info!(answer = 42, "asked for the trace");
    trace::current_traceparent().unwrap_or_default()
}

/// Answers only once the service stops: a request in hand.
#[get("/slow")]
async fn slow(shutdown: Shutdown) -> &'static str {
    tracing::info!("slow request began");
    shutdown.requested().await;
    tracing::info!("slow request finished");
    "finished"
}

/// The service without workers.
pub(crate) fn service() -> Service {
    Service::new().http(Document::openapi(), |app| {
        app.service(get_item)
            .service(create_item)
            .service(replace_item)
            .service(cached)
            .service(source)
            .service(teapot)
            .service(broken)
            .service(foreign_error)
            .service(whoami)
            .service(traceparent)
            .service(slow);
    })
}

/// The service as a process, with a worker that behaves as `DEMO_MODE` says.
pub(crate) async fn build(config: Config) -> anyhow::Result<Service> {
    let mode = config.demo_mode;
    anyhow::ensure!(mode != "unbuildable", "the database is not there");
    let worker = move |shutdown: Shutdown| async move {
        match mode.as_str() {
            "ends" => return Ok(()),
            "fails" => anyhow::bail!("the stream differs"),
            "panics" => panic!("a broken invariant"),
            _ => shutdown.requested().await,
        }
        tracing::info!("worker told");
        if mode == "stuck" {
            std::future::pending::<()>().await;
        }
        Ok(())
    };
    Ok(service()
        .worker("counter", worker)
        .on_stop("flush", || async { tracing::info!("flush hook ran") })
        .on_stop("close", || async { tracing::info!("close hook ran") }))
}
