//! `GET /api/sessions/{id}/related`: other sessions of the same VPN user and of the same addresses.

use actix_web::get;
use actix_web::web::{Data, Path};
use db::sessions::{self, SessionRow, SessionView};
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;
use crate::error::{Failure, not_found};
use crate::parameters::{NoParameters, Parameters};

const SHOWN: u64 = 10;

/// Other sessions that have something in common with one session, the latest connects first, at most 10 of each kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RelatedSessions {
    same_user: Vec<SessionView>,
    /// With its virtual address, on its VPN server.
    same_virtual_ip: Vec<SessionView>,
    /// From its real address.
    same_real_ip: Vec<SessionView>,
}

/// Show sessions of the same VPN user and of the same addresses.
#[utoipa::path(
    operation_id = "get_related_sessions",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "Id of the session")),
    responses(
        (status = 200, description = "The sessions", body = RelatedSessions),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such session", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/sessions/{id}/related")]
pub(crate) async fn get_related_sessions(
    state: Data<State>,
    id: Path<Uuid>,
    _: Parameters<NoParameters>,
) -> Result<Json<RelatedSessions>, Problem> {
    let row = sessions::find(&state.db, *id).await.map_err(Failure::from)?;
    let session = row.ok_or_else(|| not_found("session"))?.session;
    let related = sessions::related(&state.db, &session, SHOWN)
        .await
        .map_err(Failure::from)?;
    let now = clock::now();
    let views = |rows: Vec<SessionRow>| rows.into_iter().map(|row| row.view(now)).collect();
    Ok(Json(RelatedSessions {
        same_user: views(related.same_user),
        same_virtual_ip: views(related.same_virtual_ip),
        same_real_ip: views(related.same_real_ip),
    }))
}
