//! `GET /api/auth/.well-known/jwks.json`: the keys that access tokens are verified with (RFC 7517, RFC 8037).

use access_token::{Jwks, PublicKey};
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::Data;
use actix_web::{Responder, get};
use db::Db;
use db::signing_keys::{self, SigningKey};
use service_kit::{Json, Problem, ProblemBody};

use crate::State;
use crate::error::Failure;

/// The public keys of every auth replica.
#[utoipa::path(
    operation_id = "get_jwks",
    tag = "auth",
    responses(
        (status = 200, description = "The keys that sign access tokens", body = Jwks),
        (status = 503, description = "The database is away", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/auth/.well-known/jwks.json")]
pub(crate) async fn get_jwks(state: Data<State>) -> Result<impl Responder, Problem> {
    let keys = published_keys(&state.db).await.map_err(Failure::from)?;
    Ok(Json(Jwks::new(&keys))
        .customize()
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"))))
}

/// The keys whose tokens are accepted; those of other replicas too.
pub(crate) async fn published_keys(db: &Db) -> Result<Vec<PublicKey>, db::Error> {
    let keys = signing_keys::list(db).await?;
    let public = |key: SigningKey| PublicKey {
        kid: key.kid,
        public_key: key.public_key,
    };
    Ok(keys.into_iter().map(public).collect())
}
