//! The table of routes in the OpenAPI document.

use std::collections::BTreeSet;

use domain::role::ANY_ROLE;
use service_kit::ProblemBody;
use thiserror::Error;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::routes::{Access, Route};

const BEARER: &str = "bearerAuth";
const AGENT: &str = "agentKey";
const METHODS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"];

/// The document and the table disagree: each names routes that the other does not know.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("routes without documentation: {undocumented:?}; documented operations without a route: {unlisted:?}")]
pub struct RouteMismatch {
    /// In the table only.
    pub undocumented: Vec<String>,
    /// In the document only.
    pub unlisted: Vec<String>,
}

/// Writes into each operation who may call it, with the 401 and 403 answers that follow.
///
/// # Errors
/// [`RouteMismatch`] unless the document has exactly the operations of the table.
pub fn secure(mut openapi: OpenApi, routes: &[Route]) -> Result<OpenApi, RouteMismatch> {
    compare(&openapi, routes)?;
    let components = openapi.components.get_or_insert_default();
    add_components(components, routes);
    for route in routes {
        let item = openapi.paths.paths.get_mut(&documented_path(route.path));
        if let Some(operation) = item.and_then(|item| operation_mut(item, route.method)) {
            restrict(operation, route.access);
        }
    }
    Ok(openapi)
}

fn compare(openapi: &OpenApi, routes: &[Route]) -> Result<(), RouteMismatch> {
    let listed: BTreeSet<String> = routes
        .iter()
        .map(|route| format!("{} {}", route.method, documented_path(route.path)))
        .collect();
    let documented: BTreeSet<String> = openapi
        .paths
        .paths
        .iter()
        .flat_map(|(path, item)| {
            METHODS
                .iter()
                .filter(|method| operation(item, method).is_some())
                .map(move |method| format!("{method} {path}"))
        })
        .collect();
    let undocumented: Vec<String> = listed.difference(&documented).cloned().collect();
    let unlisted: Vec<String> = documented.difference(&listed).cloned().collect();
    if undocumented.is_empty() && unlisted.is_empty() {
        return Ok(());
    }
    Err(RouteMismatch { undocumented, unlisted })
}

/// actix writes `{id:\d+}` where OpenAPI knows `{id}` only.
fn documented_path(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match part.split_once(':') {
        Some((name, _)) if name.starts_with('{') => format!("{name}}}"),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

fn operation<'i>(item: &'i PathItem, method: &str) -> Option<&'i Operation> {
    match method {
        "GET" => item.get.as_ref(),
        "PUT" => item.put.as_ref(),
        "POST" => item.post.as_ref(),
        "DELETE" => item.delete.as_ref(),
        "OPTIONS" => item.options.as_ref(),
        "HEAD" => item.head.as_ref(),
        "PATCH" => item.patch.as_ref(),
        "TRACE" => item.trace.as_ref(),
        _ => None,
    }
}

fn operation_mut<'i>(item: &'i mut PathItem, method: &str) -> Option<&'i mut Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "PUT" => item.put.as_mut(),
        "POST" => item.post.as_mut(),
        "DELETE" => item.delete.as_mut(),
        "OPTIONS" => item.options.as_mut(),
        "HEAD" => item.head.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "TRACE" => item.trace.as_mut(),
        _ => None,
    }
}

fn add_components(components: &mut Components, routes: &[Route]) {
    components.schemas.insert("Problem".to_owned(), ProblemBody::schema());
    if routes.iter().any(|route| route.access.needs_token()) {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        components.add_security_scheme(BEARER, SecurityScheme::Http(token.build()));
    }
    if routes.iter().any(|route| route.access == Access::Agent) {
        let key = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("The API key of a VPN server: `ovt_<key id>_<secret>`"));
        components.add_security_scheme(AGENT, SecurityScheme::Http(key.build()));
    }
}

fn restrict(operation: &mut Operation, access: Access) {
    operation.security = Some(match access {
        Access::Public => Vec::new(),
        Access::Agent => vec![SecurityRequirement::new(AGENT, Vec::<String>::new())],
        Access::PortalUser => vec![SecurityRequirement::new(
            BEARER,
            ANY_ROLE.iter().map(|role| role.as_str()),
        )],
        Access::Roles(roles) => vec![SecurityRequirement::new(BEARER, roles.iter().map(|role| role.as_str()))],
    });
    if access != Access::Public {
        add_problem(operation, "401", "The credentials are missing or not valid.");
        add_problem(operation, "403", "The credentials do not allow this.");
    }
    if access.needs_token() {
        add_problem(operation, "429", "Too many requests of this user; see `Retry-After`.");
        add_problem(
            operation,
            "503",
            "The token cannot be checked at the moment, or the work not be done; see `Retry-After`.",
        );
    }
}

fn add_problem(operation: &mut Operation, status: &str, description: &str) {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content);
    operation
        .responses
        .responses
        .entry(status.to_owned())
        .or_insert_with(|| RefOr::T(response.build()));
}
