//! `GET /api/vpn-users`.

use actix_web::get;
use actix_web::web::Data;
use db::entities::enums::{BusinessStatus, UserType};
use db::vpn_users::{self, LastSeen, UserFilter, UserOrder, UserRow, UserSort, VpnStatus};
use domain::time_format;
use serde::{Deserialize, Serialize};
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use utoipa::{IntoParams, ToSchema};

use crate::error::{Failure, invalid_parameter};
use crate::page::{self, PageInfo, PageParams};
use crate::parameters::{And, DATE_OR_TIME, Parameters, beginning, first_behind, one_of};
use crate::{State, session_filter};

/// Whether a VPN user has a session now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VpnStatus)]
pub(crate) enum VpnStatusView {
    Active,
    Inactive,
}

/// A VPN user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = VpnUser)]
pub(crate) struct VpnUserView {
    pub(crate) id: i64,
    pub(crate) common_name: String,
    pub(crate) full_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) contact_no: Option<String>,
    /// `active` while the user has an active session.
    pub(crate) vpn_status: VpnStatusView,
    pub(crate) user_type: Option<UserType>,
    pub(crate) business_status: Option<BusinessStatus>,
    #[serde(serialize_with = "time_format::optional_millis")]
    pub(crate) last_vpn_seen_at: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::optional_millis")]
    pub(crate) cert_expiry_at: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::optional_millis")]
    pub(crate) revoked_at: Option<OffsetDateTime>,
    #[serde(serialize_with = "time_format::millis")]
    pub(crate) created_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::millis")]
    pub(crate) updated_at: OffsetDateTime,
    pub(crate) active_sessions: u64,
    pub(crate) total_sessions: u64,
    /// Counts edits of the metadata; an edit must name the version that it changes.
    pub(crate) version: i32,
}

/// VPN users, a page at a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VpnUserList {
    users: Vec<VpnUserView>,
    #[serde(flatten)]
    page: PageInfo,
}

/// When a VPN user was last seen.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(as = LastSeen)]
pub(crate) enum LastSeenView {
    #[serde(rename = "24h")]
    Day,
    #[serde(rename = "7d")]
    Week,
    #[serde(rename = "30d")]
    Month,
    #[serde(rename = "never")]
    Never,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct UserFilterParams {
    /// Part of the common name, full name or e-mail.
    search: Option<String>,
    /// With an active session, or without.
    vpn_status: Option<VpnStatusView>,
    /// Type; repeat it or separate by commas for several.
    #[param(required = false)]
    user_type: Vec<UserType>,
    /// Business status; repeat it or separate by commas for several.
    #[param(required = false)]
    business_status: Vec<BusinessStatus>,
    /// Seen within this time, or never.
    #[param(inline)]
    last_seen: Option<LastSeenView>,
    /// Seen at or after: RFC 3339 time, or a day from its beginning in UTC.
    last_seen_from: Option<String>,
    /// Seen last at or before: RFC 3339 time, or a day until its end in UTC.
    last_seen_to: Option<String>,
    /// The certificate expires within so many days, or has expired.
    #[param(minimum = 0, maximum = 3650)]
    cert_expires_within_days: Option<u32>,
    /// The certificate was revoked, or not.
    revoked: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct UserSortParams {
    /// `common_name`, `email`, `full_name`, `last_vpn_seen_at`, `cert_expiry_at`, `created_at`; `-` before it descends. Unknown
    /// values come last.
    #[param(example = "common_name")]
    sort: Option<String>,
}

type UsersParams = And<UserFilterParams, And<UserSortParams, PageParams>>;

/// List VPN users.
#[utoipa::path(
    operation_id = "list_vpn_users",
    tag = "vpn-users",
    params(UserFilterParams, UserSortParams, PageParams),
    responses(
        (status = 200, description = "A page of VPN users", body = VpnUserList),
        (status = 400, description = "A parameter is not known or not valid", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/vpn-users")]
pub(crate) async fn list_vpn_users(
    state: Data<State>,
    parameters: Parameters<UsersParams>,
) -> Result<Json<VpnUserList>, Problem> {
    let filter = filter(&parameters)?;
    let order = order(&parameters)?;
    let walkable = (order.sort == UserSort::CommonName).then_some(order.descending);
    let request = page::request(&parameters, walkable)?;
    let page = vpn_users::list(&state.db, &filter, order, &request)
        .await
        .map_err(Failure::from)?;
    let info = PageInfo::of(&request, &page);
    Ok(Json(VpnUserList {
        users: page.rows.into_iter().map(VpnUserView::from).collect(),
        page: info,
    }))
}

/// Reads the filter of a list or an export of VPN users.
pub(crate) fn filter<P: IntoParams>(parameters: &Parameters<P>) -> Result<UserFilter, Problem> {
    let vpn_status = parameters.value("vpn_status", "active or inactive", one_of)?;
    let days = |text: &str| text.parse::<u16>().ok().filter(|days| *days <= MOST_DAYS);
    let expires_within = parameters.value("cert_expires_within_days", "a number of days from 0 to 3650", days)?;
    Ok(UserFilter {
        search: session_filter::search(parameters)?,
        vpn_status: vpn_status.map(|status| match status {
            VpnStatusView::Active => VpnStatus::Active,
            VpnStatusView::Inactive => VpnStatus::Inactive,
        }),
        user_types: parameters.values("user_type", "internal, external, contractor or guest", one_of)?,
        business_statuses: parameters.values("business_status", "active, suspended or terminated", one_of)?,
        last_seen: last_seen(parameters)?,
        cert_expires_before: expires_within.map(|days| clock::now() + Duration::days(days.into())),
        revoked: parameters.value("revoked", "true or false", |text| text.parse().ok())?,
    })
}

const MOST_DAYS: u16 = 3_650;

fn last_seen<P: IntoParams>(parameters: &Parameters<P>) -> Result<Option<LastSeen>, Problem> {
    let preset = parameters.value("last_seen", "24h, 7d, 30d or never", one_of)?;
    let from = parameters.value("last_seen_from", DATE_OR_TIME, beginning)?;
    let to = parameters.value("last_seen_to", DATE_OR_TIME, first_behind)?;
    if preset.is_some() && (from.is_some() || to.is_some()) {
        return Err(invalid_parameter("last_seen", "Give `last_seen` or a range, not both."));
    }
    let within = |ago: Duration| LastSeen::Between(Some(clock::now() - ago), None);
    let preset = preset.map(|preset| match preset {
        LastSeenView::Day => within(Duration::DAY),
        LastSeenView::Week => within(Duration::WEEK),
        LastSeenView::Month => within(Duration::days(30)),
        LastSeenView::Never => LastSeen::Never,
    });
    Ok(preset.or((from.is_some() || to.is_some()).then_some(LastSeen::Between(from, to))))
}

const KEYS: [(&str, UserSort); 6] = [
    ("common_name", UserSort::CommonName),
    ("email", UserSort::Email),
    ("full_name", UserSort::FullName),
    ("last_vpn_seen_at", UserSort::LastVpnSeenAt),
    ("cert_expiry_at", UserSort::CertExpiryAt),
    ("created_at", UserSort::CreatedAt),
];

fn order(parameters: &Parameters<UsersParams>) -> Result<UserOrder, Problem> {
    let (sort, descending) = session_filter::sort_key(parameters, &KEYS)?.unwrap_or((UserSort::CommonName, false));
    Ok(UserOrder { sort, descending })
}

impl From<UserRow> for VpnUserView {
    fn from(row: UserRow) -> Self {
        let UserRow {
            user,
            active_sessions,
            total_sessions,
        } = row;
        Self {
            id: user.id,
            common_name: user.common_name,
            full_name: user.full_name,
            email: user.email,
            contact_no: user.contact_no,
            vpn_status: if active_sessions > 0 {
                VpnStatusView::Active
            } else {
                VpnStatusView::Inactive
            },
            user_type: user.user_type,
            business_status: user.business_status,
            last_vpn_seen_at: user.last_vpn_seen_at,
            cert_expiry_at: user.cert_expiry_at,
            revoked_at: user.revoked_at,
            created_at: user.created_at,
            updated_at: user.updated_at,
            active_sessions,
            total_sessions,
            version: user.metadata_version,
        }
    }
}
