//! Every path of this service, with those who may call it. A path that is not here is answered 404 before any handler.

use access_token::{Access, Guard, Route, RouteMismatch};
use actix_web::App;
use actix_web::web::{self, Data};
use domain::role::ANY_ROLE;
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{State, jwks, login, me};

/// The only list of paths and roles; the guard, the OpenAPI document and its security come from it.
pub static ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/auth/login",
        access: Access::Public,
    },
    Route {
        method: "GET",
        path: "/api/auth/.well-known/jwks.json",
        access: Access::Public,
    },
    Route {
        method: "GET",
        path: "/api/auth/me",
        access: Access::Roles(ANY_ROLE),
    },
];

fn handlers(services: &mut ServiceConfig<'_>) {
    services
        .service(login::login)
        .service(jwks::get_jwks)
        .service(me::get_me);
}

/// Serves the handlers, all behind the guard.
pub(crate) fn serve(services: &mut web::ServiceConfig, guard: &Guard, state: &Data<State>) {
    let guarded = web::scope("")
        .app_data(state.clone())
        .configure(|services| handlers(&mut ServiceConfig::new(services)))
        .wrap(guard.clone());
    services.service(guarded);
}

/// The OpenAPI document, with the roles of each operation.
///
/// # Errors
/// [`RouteMismatch`] when a handler is not in [`ROUTES`], or the other way round.
pub fn openapi() -> Result<OpenApi, RouteMismatch> {
    let (_, mut document) = App::new().into_utoipa_app().configure(handlers).split_for_parts();
    document.info = InfoBuilder::new()
        .title("OpenVPN Telemetry: auth")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Login and access tokens."))
        .build();
    access_token::secure(document, ROUTES)
}
