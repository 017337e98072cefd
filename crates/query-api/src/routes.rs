//! Every path of this service, with those who may call it. A path that is not here is answered 404 before any handler.

use access_token::{Access, Guard, Route, RouteMismatch};
use actix_web::App;
use actix_web::web::{self, Data};
use domain::role::{ADMIN_ONLY, ADMIN_OR_AUDITOR, ADMIN_OR_OPERATOR, ANY_ROLE, Role};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    State, activity, audit_export, audit_logs, audit_verify, commands, dashboard, events, export, health_history,
    identity, registry, related, search, servers, session_detail, sessions, terminate, top_users, traffic, usage,
    vpn_denials, vpn_user_activity, vpn_user_detail, vpn_user_edit, vpn_user_export, vpn_users,
};

/// The only list of paths and roles; the guard, the OpenAPI document and its security come from it.
pub static ROUTES: &[Route] = &[
    get("/api/sessions", ANY_ROLE),
    get("/api/sessions/export", ANY_ROLE),
    route("POST", "/api/sessions/terminate", ADMIN_ONLY),
    get("/api/sessions/{id}", ANY_ROLE),
    route("DELETE", "/api/sessions/{id}", ADMIN_ONLY),
    get("/api/sessions/{id}/export", ANY_ROLE),
    get("/api/sessions/{id}/related", ANY_ROLE),
    get("/api/sessions/{id}/traffic", ANY_ROLE),
    get("/api/commands", ANY_ROLE),
    get("/api/denials", ANY_ROLE),
    route("DELETE", "/api/denials/{id}", ADMIN_ONLY),
    get("/api/vpn-users", ANY_ROLE),
    get("/api/vpn-users/export", ANY_ROLE),
    get("/api/vpn-users/{id}", ANY_ROLE),
    route("PATCH", "/api/vpn-users/{id}", ADMIN_OR_OPERATOR),
    get("/api/vpn-users/{id}/activity", ANY_ROLE),
    get("/api/vpn-users/{id}/sessions", ANY_ROLE),
    get("/api/servers", ANY_ROLE),
    route("POST", "/api/servers", ADMIN_ONLY),
    get("/api/servers/{id}", ANY_ROLE),
    route("PUT", "/api/servers/{id}", ADMIN_ONLY),
    route("DELETE", "/api/servers/{id}", ADMIN_ONLY),
    get("/api/servers/{id}/health", ANY_ROLE),
    get("/api/search", ANY_ROLE),
    get("/api/identity", ANY_ROLE),
    get("/api/events/unmatched", ANY_ROLE),
    get("/api/events/rejected", ADMIN_ONLY),
    get("/api/analytics/dashboard", ANY_ROLE),
    get("/api/analytics/usage", ANY_ROLE),
    get("/api/analytics/activity", ANY_ROLE),
    get("/api/analytics/top-users", ANY_ROLE),
    get("/api/audit-logs", ADMIN_OR_AUDITOR),
    get("/api/audit-logs/export", ADMIN_OR_AUDITOR),
    get("/api/audit-logs/verify", ADMIN_OR_AUDITOR),
];

const fn get(path: &'static str, roles: &'static [Role]) -> Route {
    route("GET", path, roles)
}

const fn route(method: &'static str, path: &'static str, roles: &'static [Role]) -> Route {
    Route {
        method,
        path,
        access: Access::Roles(roles),
    }
}

fn handlers(services: &mut ServiceConfig<'_>) {
    services
        .service(sessions::list_sessions)
        // Before the session of that name.
        .service(export::export_sessions)
        .service(terminate::terminate_sessions)
        .service(session_detail::get_session)
        .service(terminate::terminate_session)
        .service(export::export_session)
        .service(related::get_related_sessions)
        .service(traffic::get_session_traffic)
        .service(commands::list_commands)
        .service(vpn_denials::list_denials)
        .service(vpn_denials::revoke_denial)
        .service(vpn_users::list_vpn_users)
        // Before the VPN user of that name.
        .service(vpn_user_export::export_vpn_users)
        .service(vpn_user_detail::get_vpn_user)
        .service(vpn_user_edit::edit_vpn_user)
        .service(vpn_user_activity::get_vpn_user_activity)
        .service(sessions::list_vpn_user_sessions)
        .service(servers::list_servers)
        .service(servers::get_server)
        .service(registry::create_server)
        .service(registry::update_server)
        .service(registry::delete_server)
        .service(audit_logs::list_audit_logs)
        .service(audit_export::export_audit_logs)
        .service(audit_verify::verify_audit_logs)
        .service(health_history::get_server_health)
        .service(search::find)
        .service(identity::get_identity)
        .service(events::list_unmatched_events)
        .service(events::list_rejected_events)
        .service(dashboard::get_dashboard)
        .service(usage::get_usage)
        .service(activity::get_activity)
        .service(top_users::get_top_users);
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
