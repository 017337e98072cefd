//! `PATCH /api/vpn-users/{id}`: what people say of a VPN user.

use actix_web::http::StatusCode;
use actix_web::patch;
use actix_web::web::{Data, Path};
use audit_actor::Acting;
use db::entities::enums::{BusinessStatus, UserType};
use db::vpn_users::{self, Edited, MetadataEdit};
use garde::rules::email::parse_email;
use serde::Deserialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use utoipa::ToSchema;

use crate::State;
use crate::error::{Failure, not_found};
use crate::fields::{given, invalid_field, text};
use crate::parameters::{NoParameters, Parameters};
use crate::vpn_users::VpnUserView;

const LONGEST_NAME: usize = 255;
const LONGEST_EMAIL: usize = 254;
const LONGEST_NUMBER: usize = 50;

/// What shall be different about a VPN user. What is not given stays as it is; null makes it unknown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditVpnUser {
    /// The `version` that the edit is based on.
    #[schema(minimum = 1, maximum = 2147483647, example = 1)]
    version: i32,
    /// 1 to 255 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    full_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 254, example = "jdoe@example.com")]
    email: Option<Option<String>>,
    /// 1 to 50 characters.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 50, example = "+49 30 1234567")]
    contact_no: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<UserType>)]
    user_type: Option<Option<UserType>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<BusinessStatus>)]
    business_status: Option<Option<BusinessStatus>>,
}

/// Edit a VPN user's metadata.
#[utoipa::path(
    operation_id = "edit_vpn_user",
    tag = "vpn-users",
    params(("id" = i64, Path, description = "Id of the VPN user")),
    request_body = EditVpnUser,
    responses(
        (status = 200, description = "The VPN user as it is now", body = VpnUserView),
        (status = 400, description = "The body is not valid; `field` names what is not", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN user", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Somebody else has edited it meanwhile (`edit_conflict`); the member `current` is the VPN user as it is now", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[patch("/api/vpn-users/{id}")]
pub(crate) async fn edit_vpn_user(
    state: Data<State>,
    acting: Acting,
    id: Path<i64>,
    _: Parameters<NoParameters>,
    body: Json<EditVpnUser>,
) -> Result<Json<VpnUserView>, Problem> {
    let body = body.into_inner();
    let version = body.version;
    let edit = edit(body)?;
    let edited = vpn_users::edit_metadata(&state.writer, *id, version, edit, clock::now(), acting.0)
        .await
        .map_err(Failure::from)?;
    if edited == Edited::NoSuchUser {
        return Err(not_found("VPN user"));
    }
    // From where it was written: a replica may not have it yet.
    let user = vpn_users::find(&state.writer, *id).await.map_err(Failure::from)?;
    let user = VpnUserView::from(user.ok_or_else(|| not_found("VPN user"))?);
    match edited {
        Edited::Conflict(_) => Err(conflict(&user)),
        Edited::Done | Edited::NoSuchUser => Ok(Json(user)),
    }
}

fn edit(body: EditVpnUser) -> Result<MetadataEdit, Problem> {
    let person = |field: &'static str, most: usize| {
        move |given: Option<String>| given.map(|given| text(field, &given, most, false)).transpose()
    };
    let email = body.email.map(person("email", LONGEST_EMAIL)).transpose()?;
    if let Some(Some(address)) = &email
        && let Err(error) = parse_email(address)
    {
        return Err(invalid_field(
            "email",
            format!("`email` must be an e-mail address: {error}."),
        ));
    }
    Ok(MetadataEdit {
        full_name: body.full_name.map(person("full_name", LONGEST_NAME)).transpose()?,
        email,
        contact_no: body.contact_no.map(person("contact_no", LONGEST_NUMBER)).transpose()?,
        user_type: body.user_type,
        business_status: body.business_status,
    })
}

fn conflict(current: &VpnUserView) -> Problem {
    let detail = "Somebody else has edited this VPN user meanwhile.";
    let current = serde_json::to_value(current).unwrap_or_default();
    Problem::new(StatusCode::CONFLICT, "edit_conflict", detail).with("current", current)
}
