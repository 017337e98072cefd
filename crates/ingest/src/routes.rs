//! Every path of this service. All of them are for agents: a handler takes an [`Agent`](crate::agent_key::Agent), and so
//! runs only behind a valid API key.

use actix_web::App;
use actix_web::web::{self, Data};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::State;
use crate::{command_result, commands, events, heartbeat, inventory};

/// The only list of handlers; the OpenAPI document comes from it.
fn handlers(services: &mut ServiceConfig<'_>) {
    services
        .service(events::post_events)
        .service(heartbeat::post_heartbeat)
        .service(inventory::put_inventory)
        .service(commands::get_commands)
        .service(command_result::post_command_result);
}

pub(crate) fn serve(services: &mut web::ServiceConfig, state: &Data<State>) {
    services.app_data(state.clone());
    handlers(&mut ServiceConfig::new(services));
}

/// The OpenAPI document.
pub fn openapi() -> OpenApi {
    let (_, mut document) = App::new().into_utoipa_app().configure(handlers).split_for_parts();
    document.info = InfoBuilder::new()
        .title("OpenVPN Telemetry: ingest")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("What agents talk to."))
        .build();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("ovt_<key id>_<secret>")
        .description(Some("API key of a VPN server's agent."))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("apiKey", SecurityScheme::Http(key));
    document
}
