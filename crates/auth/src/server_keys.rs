//! `/api/servers/{id}/keys`: the API keys of a VPN server's agent. Several at once, so that they can be rotated.

use access_token::Caller;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, delete, get, post};
use audit_actor::Origin;
use db::api_keys::{self, Creation, ListedApiKey, NewApiKey, Revocation};
use domain::time_format;
use garde::Validate;
use ring::rand::SystemRandom;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::answers::{BodyRefused, FieldsRefused, PathRefused};
use crate::error::{Failure, conflict, not_found};
use crate::fields::{Fields, plain_text};
use crate::{State, api_key};

/// An API key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServerKey)]
pub(crate) struct ServerKeyView {
    /// The 12 characters between `ovt_` and the secret.
    key_id: String,
    label: String,
    #[serde(serialize_with = "time_format::millis")]
    created_at: OffsetDateTime,
    /// Refused since then.
    #[serde(serialize_with = "time_format::optional_millis")]
    revoked_at: Option<OffsetDateTime>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServerKeyList {
    keys: Vec<ServerKeyView>,
}

#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewServerKey {
    /// What the key is for, shown in lists.
    #[serde(default)]
    #[garde(length(chars, max = 200), custom(plain_text))]
    #[schema(max_length = 200, pattern = r"^[^\x00-\x1f\x7f-\x9f]*$")]
    label: String,
}

/// A new API key. The secret in it is not kept: this is the only time it is shown.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedServerKey {
    #[serde(flatten)]
    listed: ServerKeyView,
    /// The whole key, for the agent.
    #[schema(example = "ovt_k3v9x2m4q8wz_…")]
    key: String,
}

/// List the API keys of a VPN server, revoked ones too, oldest first.
#[utoipa::path(
    operation_id = "list_server_keys",
    tag = "server-keys",
    params(("id" = i32, Path, description = "Id of the VPN server")),
    responses((status = 200, description = "Its keys", body = ServerKeyList), PathRefused)
)]
#[get("/api/servers/{id}/keys")]
pub(crate) async fn list_server_keys(state: Data<State>, id: Path<i32>) -> Result<Json<ServerKeyList>, Problem> {
    let keys = api_keys::list_for_server(&state.db, *id).await.map_err(Failure::from)?;
    let keys = keys.ok_or_else(|| not_found("VPN server"))?;
    Ok(Json(ServerKeyList {
        keys: keys.into_iter().map(ServerKeyView::from).collect(),
    }))
}

/// Create an API key for a VPN server's agent. Keep what is answered: it is not shown again.
#[utoipa::path(
    operation_id = "create_server_key",
    tag = "server-keys",
    params(("id" = i32, Path, description = "Id of the VPN server")),
    responses(
        (status = 201, description = "The key", body = CreatedServerKey),
        (status = 409, description = "`server_retired`: the VPN server is retired", body = ProblemBody, content_type = "application/problem+json"),
        BodyRefused,
        PathRefused,
        FieldsRefused,
    )
)]
#[post("/api/servers/{id}/keys")]
pub(crate) async fn create_server_key(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    id: Path<i32>,
    request: Json<NewServerKey>,
) -> Result<HttpResponse, Problem> {
    Fields::of(&*request).check()?;
    let key = api_key::generate(&SystemRandom::new()).map_err(Failure::from)?;
    let new = NewApiKey {
        key_id: key.key_id,
        server_id: *id,
        secret_sha256: key.secret_sha256,
        label: request.into_inner().label,
    };
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let created = api_keys::create(&state.db, new, clock::now(), actor).await;
    match created.map_err(Failure::from)? {
        Creation::Created(listed) => Ok(HttpResponse::Created().json(CreatedServerKey {
            listed: listed.into(),
            key: key.text,
        })),
        Creation::UnknownServer => Err(not_found("VPN server")),
        Creation::ServerRetired => Err(conflict(
            "server_retired",
            "The VPN server is retired: its agent would be refused.",
        )),
    }
}

/// Revoke an API key for good. Every ingest replica refuses it within a second.
#[utoipa::path(
    operation_id = "revoke_server_key",
    tag = "server-keys",
    params(
        ("id" = i32, Path, description = "Id of the VPN server"),
        ("key_id" = String, Path, description = "Id of the key", pattern = "^[a-z0-9]{12}$"),
    ),
    responses(
        (status = 204, description = "It is revoked, now or before"),
        (status = 503, description = "Try again: it may be revoked, but ingest could not be told", body = ProblemBody, content_type = "application/problem+json"),
        PathRefused,
    )
)]
#[delete("/api/servers/{id}/keys/{key_id}")]
pub(crate) async fn revoke_server_key(
    state: Data<State>,
    caller: Caller,
    origin: Origin,
    path: Path<(i32, String)>,
) -> Result<HttpResponse, Problem> {
    let (server_id, key_id) = path.into_inner();
    if !api_key::is_key_id(&key_id) {
        return Err(not_found("API key"));
    }
    let actor = origin.actor(Some(caller.portal_user_id), &caller.username);
    let revoked = api_keys::revoke(&state.db, Some(server_id), &key_id, clock::now(), actor).await;
    if revoked.map_err(Failure::from)? == Revocation::UnknownKey {
        return Err(not_found("API key of this VPN server"));
    }
    // Told again for a key that was revoked before: the first time may have ended before this point.
    let told = state.bus.publish_api_key_revoked(&key_id).await;
    told.map_err(|error| {
        let detail = "The key is revoked, but ingest could not be told and may accept it for a while; try again.";
        Problem::unavailable(detail, error)
    })?;
    Ok(HttpResponse::build(StatusCode::NO_CONTENT).finish())
}

impl From<ListedApiKey> for ServerKeyView {
    fn from(key: ListedApiKey) -> Self {
        Self {
            key_id: key.key_id,
            label: key.label,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        }
    }
}
