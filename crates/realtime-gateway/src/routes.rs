//! Every path of this service, with those who may call it. A path that is not here is answered 404 before any handler.

use access_token::{Access, Guard, Route, RouteMismatch};
use actix_web::App;
use actix_web::web::{self, Data};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{State, upgrade};

/// The only list of paths. A browser cannot send a token with the request for a socket, so the socket asks for it itself.
pub static ROUTES: &[Route] = &[Route {
    method: "GET",
    path: "/ws",
    access: Access::Public,
}];

fn handlers(services: &mut ServiceConfig<'_>) {
    services.service(upgrade::open_socket);
}

/// Serves the handlers, all behind the guard.
pub(crate) fn serve(services: &mut web::ServiceConfig, guard: &Guard, state: &Data<State>) {
    let guarded = web::scope("")
        .app_data(state.clone())
        .configure(|services| handlers(&mut ServiceConfig::new(services)))
        .wrap(guard.clone());
    services.service(guarded);
}

/// The OpenAPI document.
///
/// # Errors
/// [`RouteMismatch`] when a handler is not in [`ROUTES`], or the other way round.
pub fn openapi() -> Result<OpenApi, RouteMismatch> {
    let (_, mut document) = App::new().into_utoipa_app().configure(handlers).split_for_parts();
    document.info = InfoBuilder::new()
        .title("OpenVPN Telemetry: realtime-gateway")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("What happens now, over a WebSocket."))
        .build();
    access_token::secure(document, ROUTES)
}
