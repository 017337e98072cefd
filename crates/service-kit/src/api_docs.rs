//! The OpenAPI document and its browsable page under `/api-docs/<service>/`, without a network.

use actix_web::web;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

/// Adds `openapi.json` and the page.
pub(crate) fn configure(service: &'static str, openapi: OpenApi) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        let base = format!("/api-docs/{service}");
        let document = format!("{base}/openapi.json");
        let page = SwaggerUi::new(format!("{base}/{{_:.*}}"))
            .config(Config::default().validator_url("none").display_request_duration(true))
            .url(Url::from(document), openapi);
        config
            .service(web::redirect(base.clone(), format!("{base}/")))
            .service(page);
    }
}
