//! `GET /api/denials`, `DELETE /api/denials/{id}`: VPN users who may not connect to a VPN server for a time.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{delete, get};
use db::denials::{self, DenialFilter, DenialRow, Revocation};
use domain::time_format;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::error::{Failure, not_found};
use crate::page::{self, PageInfo, PageParams};
use crate::parameters::{And, NoParameters, Parameters, one_of};
use crate::{State, servers, waiting_agents};
use audit_actor::Acting;

/// Whether a denial is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DenialState {
    InForce,
    Revoked,
    /// Its time is over.
    Expired,
}

/// A VPN user who may not connect to a VPN server for a time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Denial)]
pub(crate) struct DenialView {
    /// That of the command that asked for it.
    id: Uuid,
    server_instance: String,
    server_key: i32,
    vpn_user_id: i64,
    common_name: String,
    state: DenialState,
    /// Name of the portal user, as it was then.
    requested_by: String,
    reason: String,
    #[serde(serialize_with = "time_format::millis")]
    created_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    deny_until: OffsetDateTime,
    /// Since when the VPN server's agent has it; before, nobody refuses the VPN user.
    #[serde(serialize_with = "time_format::optional_millis")]
    applied_at: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::optional_millis")]
    revoked_at: Option<OffsetDateTime>,
    revoked_by: Option<String>,
}

/// Denials, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DenialList {
    denials: Vec<DenialView>,
    #[serde(flatten)]
    page: PageInfo,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct DenialsParams {
    /// `in_force`: only those. Without it all of them.
    #[param(inline)]
    state: Option<InForce>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Id of a VPN user.
    vpn_user_id: Option<i64>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InForce {
    InForce,
}

/// List denials, newest first.
#[utoipa::path(
    operation_id = "list_denials",
    tag = "commands",
    params(DenialsParams, PageParams),
    responses(
        (status = 200, description = "A page of denials", body = DenialList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/denials")]
pub(crate) async fn list_denials(
    state: Data<State>,
    parameters: Parameters<And<DenialsParams, PageParams>>,
) -> Result<Json<DenialList>, Problem> {
    let now = clock::now();
    let in_force: Option<InForce> = parameters.value("state", "in_force", one_of)?;
    let filter = DenialFilter {
        in_force_at: in_force.map(|InForce::InForce| now),
        server_ids: servers::named(&state.db, &parameters).await?.into_values().collect(),
        vpn_user_id: parameters.value("vpn_user_id", "the id of a VPN user", |text| text.parse().ok())?,
    };
    let request = page::request(&parameters, Some(true))?;
    let page = denials::list(&state.db, &filter, &request)
        .await
        .map_err(Failure::from)?;
    let info = PageInfo::of(&request, &page);
    Ok(Json(DenialList {
        denials: page.rows.into_iter().map(|row| DenialView::of(row, now)).collect(),
        page: info,
    }))
}

/// Revoke a denial: the VPN user may connect again as soon as the VPN server's agent knows.
#[utoipa::path(
    operation_id = "revoke_denial",
    tag = "commands",
    params(("id" = Uuid, Path, description = "Id of the denial")),
    responses(
        (status = 200, description = "The denial as it is now", body = DenialView),
        (status = 400, description = "The id is no UUID", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such denial", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is not in force any more (`not_in_force`)", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[delete("/api/denials/{id}")]
pub(crate) async fn revoke_denial(
    state: Data<State>,
    acting: Acting,
    id: Path<Uuid>,
    _: Parameters<NoParameters>,
) -> Result<Json<DenialView>, Problem> {
    let now = clock::now();
    let revocation = denials::revoke(&state.writer, *id, now, acting.0)
        .await
        .map_err(Failure::from)?;
    match revocation {
        Revocation::Revoked(row) => {
            waiting_agents::wake(&state.bus, [row.denial.server_id]).await;
            Ok(Json(DenialView::of(*row, now)))
        }
        Revocation::UnknownDenial => Err(not_found("denial")),
        Revocation::NotInForce => Err(Problem::new(
            StatusCode::CONFLICT,
            "not_in_force",
            "The denial was revoked before, or its time is over.",
        )),
    }
}

impl DenialView {
    /// The denial as it is shown at the instant `now`.
    fn of(row: DenialRow, now: OffsetDateTime) -> Self {
        let DenialRow {
            denial,
            common_name,
            server_instance,
        } = row;
        let state = match denial.revoked_at {
            Some(_) => DenialState::Revoked,
            None if denial.deny_until <= now => DenialState::Expired,
            None => DenialState::InForce,
        };
        Self {
            id: denial.id,
            server_instance,
            server_key: denial.server_id,
            vpn_user_id: denial.vpn_user_id,
            common_name,
            state,
            requested_by: denial.requested_by_name,
            reason: denial.reason,
            created_at: denial.created_at,
            deny_until: denial.deny_until,
            applied_at: denial.applied_at,
            revoked_at: denial.revoked_at,
            revoked_by: denial.revoked_by_name,
        }
    }
}
