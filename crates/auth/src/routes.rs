//! Every path of this service, with those who may call it. A path that is not here is answered 404 before any handler.

use access_token::{Access, Guard, Route, RouteMismatch};
use actix_web::App;
use actix_web::web::{self, Data};
use domain::role::{ADMIN_ONLY, ANY_ROLE};
use utoipa::openapi::{InfoBuilder, OpenApi};
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{State, jwks, login, logout, me, portal_roles, portal_users, profile, refresh, server_keys, totp};

/// The only list of paths and roles; the guard, the OpenAPI document and its security come from it.
pub static ROUTES: &[Route] = &[
    route("POST", "/api/auth/login", Access::Public),
    route("POST", "/api/auth/refresh", Access::Public),
    route("POST", "/api/auth/logout", Access::Public),
    route("POST", "/api/auth/logout-all", Access::PortalUser),
    route("GET", "/api/auth/.well-known/jwks.json", Access::Public),
    route("GET", "/api/auth/me", Access::PortalUser),
    route("GET", "/api/profile", Access::PortalUser),
    route("PUT", "/api/profile", Access::Roles(ANY_ROLE)),
    route("POST", "/api/profile/change-password", Access::PortalUser),
    route("GET", "/api/profile/logins", Access::Roles(ANY_ROLE)),
    route("GET", "/api/profile/audit", Access::Roles(ANY_ROLE)),
    route("GET", "/api/profile/sessions", Access::Roles(ANY_ROLE)),
    route("DELETE", "/api/profile/sessions/{id}", Access::Roles(ANY_ROLE)),
    route("POST", "/api/profile/totp", Access::PortalUser),
    route("POST", "/api/profile/totp/confirm", Access::PortalUser),
    route("POST", "/api/profile/totp/disable", Access::Roles(ANY_ROLE)),
    route("GET", "/api/portal-roles", Access::Roles(ADMIN_ONLY)),
    route("PUT", "/api/portal-roles/{id}", Access::Roles(ADMIN_ONLY)),
    route("GET", "/api/portal-users", Access::Roles(ADMIN_ONLY)),
    route("POST", "/api/portal-users", Access::Roles(ADMIN_ONLY)),
    route("GET", "/api/portal-users/{id}", Access::Roles(ADMIN_ONLY)),
    route("PUT", "/api/portal-users/{id}", Access::Roles(ADMIN_ONLY)),
    route("DELETE", "/api/portal-users/{id}", Access::Roles(ADMIN_ONLY)),
    route(
        "POST",
        "/api/portal-users/{id}/reset-password",
        Access::Roles(ADMIN_ONLY),
    ),
    route("POST", "/api/portal-users/{id}/unlock", Access::Roles(ADMIN_ONLY)),
    route("POST", "/api/portal-users/{id}/logout-all", Access::Roles(ADMIN_ONLY)),
    route("GET", "/api/servers/{id}/keys", Access::Roles(ADMIN_ONLY)),
    route("POST", "/api/servers/{id}/keys", Access::Roles(ADMIN_ONLY)),
    route("DELETE", "/api/servers/{id}/keys/{key_id}", Access::Roles(ADMIN_ONLY)),
];

const fn route(method: &'static str, path: &'static str, access: Access) -> Route {
    Route { method, path, access }
}

fn handlers(services: &mut ServiceConfig<'_>) {
    services
        .service(login::login)
        .service(refresh::refresh)
        .service(logout::logout)
        .service(logout::logout_all)
        .service(jwks::get_jwks)
        .service(me::get_me);
    profile_handlers(services);
    portal_user_handlers(services);
}

fn profile_handlers(services: &mut ServiceConfig<'_>) {
    services
        .service(profile::get_profile)
        .service(profile::update_profile)
        .service(profile::password::change_password)
        .service(profile::activity::list_profile_logins)
        .service(profile::activity::list_profile_audit)
        .service(profile::sessions::list_profile_sessions)
        .service(profile::sessions::end_profile_session)
        .service(totp::enrolment::enrol_totp)
        .service(totp::enrolment::confirm_totp)
        .service(totp::enrolment::disable_totp);
}

fn portal_user_handlers(services: &mut ServiceConfig<'_>) {
    services
        .service(portal_roles::list_portal_roles)
        .service(portal_roles::update_portal_role)
        .service(portal_users::list::list_portal_users)
        .service(portal_users::create::create_portal_user)
        .service(portal_users::list::get_portal_user)
        .service(portal_users::edit::update_portal_user)
        .service(portal_users::edit::delete_portal_user)
        .service(portal_users::rescue::reset_portal_user_password)
        .service(portal_users::rescue::unlock_portal_user)
        .service(portal_users::sign_out::logout_portal_user)
        .service(server_keys::list_server_keys)
        .service(server_keys::create_server_key)
        .service(server_keys::revoke_server_key);
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
        .description(Some(
            "Login and access tokens, profiles and second factors, portal users and roles, API keys of VPN servers.",
        ))
        .build();
    access_token::secure(document, ROUTES)
}
