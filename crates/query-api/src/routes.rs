//! Every path of this service, with those who may call it. A path that is not here is answered 404 before any handler.

use access_token::{Access, Guard, Route, RouteMismatch};
use actix_web::App;
use actix_web::web::{self, Data};
use domain::role::{ADMIN_ONLY, ANY_ROLE, Role};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    State, dashboard, events, export, identity, servers, session_detail, sessions, vpn_user_detail, vpn_users,
};

/// The only list of paths and roles; the guard, the OpenAPI document and its security come from it.
pub static ROUTES: &[Route] = &[
    get("/api/sessions", ANY_ROLE),
    get("/api/sessions/export", ANY_ROLE),
    get("/api/sessions/{id}", ANY_ROLE),
    get("/api/vpn-users", ANY_ROLE),
    get("/api/vpn-users/{id}", ANY_ROLE),
    get("/api/vpn-users/{id}/sessions", ANY_ROLE),
    get("/api/servers", ANY_ROLE),
    get("/api/servers/{id}", ANY_ROLE),
    get("/api/identity", ANY_ROLE),
    get("/api/events/unmatched", ANY_ROLE),
    get("/api/events/rejected", ADMIN_ONLY),
    get("/api/analytics/dashboard", ANY_ROLE),
];

const fn get(path: &'static str, roles: &'static [Role]) -> Route {
    Route {
        method: "GET",
        path,
        access: Access::Roles(roles),
    }
}

fn handlers(services: &mut ServiceConfig<'_>) {
    services
        .service(sessions::list_sessions)
        // Before the session of that name.
        .service(export::export_sessions)
        .service(session_detail::get_session)
        .service(vpn_users::list_vpn_users)
        .service(vpn_user_detail::get_vpn_user)
        .service(sessions::list_vpn_user_sessions)
        .service(servers::list_servers)
        .service(servers::get_server)
        .service(identity::get_identity)
        .service(events::list_unmatched_events)
        .service(events::list_rejected_events)
        .service(dashboard::get_dashboard);
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
        .title("OpenVPN Telemetry: query-api")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Sessions, VPN users, VPN servers, events, identity at an instant, the dashboard, exports.",
        ))
        .build();
    access_token::secure(document, ROUTES)
}
