//! `POST /api/servers`, `PUT /api/servers/{id}`, `DELETE /api/servers/{id}`: the registry of VPN servers.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, post, put};
use audit_actor::Acting;
use db::servers;
use db::servers_registry::{self, Deletion, NewServer, ServerChange, is_valid_name};
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use crate::State;
use crate::error::{Failure, not_found};
use crate::parameters::{NoParameters, Parameters};
use crate::servers::ServerView;

const LONGEST_DESCRIPTION: usize = 500;

/// A VPN server to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateServer {
    /// The agent's `server_id`: 1–63 letters, digits, `.`, `_` and `-`, the first a letter or digit. It stays.
    #[schema(pattern = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", example = "vpn-prod-01")]
    name: String,
    /// At most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: String,
    /// Whether the daemon runs with `duplicate-cn`: one common name may have several sessions at once.
    #[serde(default)]
    duplicate_cn: bool,
}

/// What shall be different about a VPN server. What is not given stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateServer {
    /// At most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    description: Option<String>,
    /// Whether the daemon runs with `duplicate-cn`; counts for events that come from now on.
    #[serde(default)]
    duplicate_cn: Option<bool>,
    /// True takes it out of service: its keys are refused. False puts it back.
    #[serde(default)]
    retired: Option<bool>,
}

/// What became of a VPN server that was to be deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerDeletion {
    id: i32,
    outcome: DeletionOutcome,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeletionOutcome {
    /// It had no history, and is gone.
    Erased,
    /// It is out of service, and its history stays.
    Retired,
}

/// Register a VPN server.
#[utoipa::path(
    operation_id = "create_server",
    tag = "servers",
    request_body = CreateServer,
    responses(
        (status = 201, description = "The VPN server", body = ServerView),
        (status = 400, description = "The body is not valid; `field` names what is not", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken, perhaps by a retired VPN server", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[post("/api/servers")]
pub(crate) async fn create_server(
    state: Data<State>,
    acting: Acting,
    _: Parameters<NoParameters>,
    body: Json<CreateServer>,
) -> Result<HttpResponse, Problem> {
    let CreateServer {
        name,
        description,
        duplicate_cn,
    } = body.into_inner();
    if !is_valid_name(&name) {
        let rule = "The name must be 1 to 63 letters, digits, `.`, `_` and `-`, the first a letter or digit.";
        return Err(invalid_field("name", rule));
    }
    check_description(&description)?;
    let new = NewServer {
        name,
        description,
        duplicate_cn,
    };
    let created = servers_registry::create(&state.writer, new, acting.0)
        .await
        .map_err(Failure::from)?;
    let id = created.ok_or_else(name_taken)?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/api/servers/{id}")))
        .json(as_written(&state, id).await?))
}

/// Change a VPN server.
#[utoipa::path(
    operation_id = "update_server",
    tag = "servers",
    params(("id" = i32, Path, description = "Id of the VPN server")),
    request_body = UpdateServer,
    responses(
        (status = 200, description = "The VPN server as it is now", body = ServerView),
        (status = 400, description = "The body is not valid; `field` names what is not", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN server", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[put("/api/servers/{id}")]
pub(crate) async fn update_server(
    state: Data<State>,
    acting: Acting,
    id: Path<i32>,
    _: Parameters<NoParameters>,
    body: Json<UpdateServer>,
) -> Result<Json<ServerView>, Problem> {
    let UpdateServer {
        description,
        duplicate_cn,
        retired,
    } = body.into_inner();
    description.as_deref().map_or(Ok(()), check_description)?;
    let change = ServerChange {
        description,
        duplicate_cn,
        retired,
    };
    let found = servers_registry::update(&state.writer, *id, change, clock::now(), acting.0)
        .await
        .map_err(Failure::from)?;
    if !found {
        return Err(not_found("VPN server"));
    }
    tell_keys(&state, *id).await?;
    Ok(Json(as_written(&state, *id).await?))
}

/// Delete a VPN server that has no history, and retire any other.
#[utoipa::path(
    operation_id = "delete_server",
    tag = "servers",
    params(("id" = i32, Path, description = "Id of the VPN server")),
    responses(
        (status = 200, description = "It is erased or retired; retired already is as good", body = ServerDeletion),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN server", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[delete("/api/servers/{id}")]
pub(crate) async fn delete_server(
    state: Data<State>,
    acting: Acting,
    id: Path<i32>,
    _: Parameters<NoParameters>,
) -> Result<Json<ServerDeletion>, Problem> {
    let deletion = servers_registry::delete(&state.writer, *id, clock::now(), acting.0)
        .await
        .map_err(Failure::from)?;
    let outcome = match deletion {
        Deletion::Erased => DeletionOutcome::Erased,
        Deletion::Retired | Deletion::AlreadyRetired => DeletionOutcome::Retired,
        Deletion::Unknown => return Err(not_found("VPN server")),
    };
    tell_keys(&state, *id).await?;
    Ok(Json(ServerDeletion { id: *id, outcome }))
}

/// Whether the keys of a server are good may have changed: what ingest remembers of them is forgotten at once. Where the bus
/// is away, it forgets by itself after INGEST_KEY_CACHE_SECONDS.
async fn tell_keys(state: &State, id: i32) -> Result<(), Problem> {
    let key_ids = servers_registry::key_ids(&state.writer, id)
        .await
        .map_err(Failure::from)?;
    for key_id in key_ids {
        if let Err(error) = state.bus.publish_api_key_revoked(&key_id).await {
            tracing::warn!(%error, server_id = id, "ingest was not told that the keys of a VPN server changed");
        }
    }
    Ok(())
}

/// The server from where it was written: a replica may not have it yet.
async fn as_written(state: &State, id: i32) -> Result<ServerView, Problem> {
    let server = servers::find(&state.writer, id).await.map_err(Failure::from)?;
    let server = server.ok_or_else(|| not_found("VPN server"))?;
    Ok(ServerView::of(server, state.thresholds, clock::now()))
}

fn check_description(description: &str) -> Result<(), Problem> {
    if description.chars().count() > LONGEST_DESCRIPTION {
        return Err(invalid_field(
            "description",
            "The description must have at most 500 characters.",
        ));
    }
    Ok(())
}

fn invalid_field(field: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail).with("field", field)
}

fn name_taken() -> Problem {
    let detail = "A VPN server has this name, perhaps a retired one.";
    Problem::new(StatusCode::CONFLICT, "name_taken", detail)
}
