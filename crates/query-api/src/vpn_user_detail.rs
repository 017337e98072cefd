//! `GET /api/vpn-users/{id}`.

use std::net::IpAddr;

use actix_web::get;
use actix_web::web::{Data, Path};
use db::activity::{self, UserDay};
use db::sessions::{self, SessionView};
use db::vpn_users::{self, CcdRow, CertificateRow, RouteRow};
use domain::time_format;
use serde::Serialize;
use service_kit::{Json, Problem, ProblemBody, clock};
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

use crate::State;
use crate::error::{Failure, not_found};
use crate::parameters::{NoParameters, Parameters};
use crate::usage::UsageUnit;
use crate::vpn_users::VpnUserView;

const RECENT: u64 = 10;

/// A VPN user with its configuration on the VPN servers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VpnUserDetail {
    #[serde(flatten)]
    user: VpnUserView,
    /// The static address that changed last.
    ccd: Option<CcdView>,
    /// The static addresses on all VPN servers.
    ccds: Vec<CcdView>,
    routes: Vec<RouteView>,
    /// The certificates that the VPN servers know of, the one that expires last first. The valid one that expires last is what
    /// `cert_expiry_at` and `revoked_at` tell of.
    certificates: Vec<CertificateView>,
    /// Bytes that flowed within the last 30 days, today among them.
    traffic_30_days: TrafficView,
    /// The last 10 connects, newest first.
    recent_sessions: Vec<SessionView>,
}

/// A static address from a VPN server's client configuration directory.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Ccd)]
pub(crate) struct CcdView {
    server_instance: String,
    #[schema(value_type = Option<String>, example = "10.8.100.10")]
    ifconfig_ip: Option<IpAddr>,
    #[schema(value_type = Option<String>, example = "255.255.255.0")]
    ifconfig_netmask: Option<IpAddr>,
    #[schema(value_type = Option<String>, example = "fd42:66::c8")]
    ifconfig_ip6: Option<IpAddr>,
    /// The VPN server turns this VPN user away.
    disabled: bool,
    #[serde(serialize_with = "time_format::millis")]
    updated_at: OffsetDateTime,
}

/// A certificate as a VPN server knows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Certificate)]
pub(crate) struct CertificateView {
    server_instance: String,
    /// Hexadecimal.
    #[schema(example = "3359189988bad4902c0511b8419c35c1")]
    serial: String,
    #[serde(serialize_with = "time_format::millis")]
    expires_at: OffsetDateTime,
    #[serde(serialize_with = "time_format::optional_millis")]
    revoked_at: Option<OffsetDateTime>,
}

/// A route from a VPN server's configuration, of this VPN user or of all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
pub(crate) struct RouteView {
    server_instance: String,
    /// `push` or `iroute`.
    #[schema(example = "push")]
    route_type: String,
    #[schema(value_type = String, example = "192.168.1.0")]
    network: IpAddr,
    #[schema(value_type = String, example = "255.255.255.0")]
    netmask: IpAddr,
    #[schema(value_type = Option<String>)]
    gateway: Option<IpAddr>,
    comment: Option<String>,
    /// The VPN server sends it to all of its clients.
    for_all: bool,
}

/// Bytes; unknown counts add nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Traffic)]
pub(crate) struct TrafficView {
    pub(crate) bytes_in: i64,
    pub(crate) bytes_out: i64,
}

/// Show a VPN user.
#[utoipa::path(
    operation_id = "get_vpn_user",
    tag = "vpn-users",
    params(("id" = i64, Path, description = "Id of the VPN user")),
    responses(
        (status = 200, description = "The VPN user", body = VpnUserDetail),
        (status = 400, description = "The id is no number that an id can be", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such VPN user", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
#[get("/api/vpn-users/{id}")]
pub(crate) async fn get_vpn_user(
    state: Data<State>,
    id: Path<i64>,
    _: Parameters<NoParameters>,
) -> Result<Json<VpnUserDetail>, Problem> {
    let user = vpn_users::find(&state.db, *id).await.map_err(Failure::from)?;
    let user = user.ok_or_else(|| not_found("VPN user"))?;
    let ccds = vpn_users::ccds(&state.db, *id).await.map_err(Failure::from)?;
    let routes = vpn_users::routes(&state.db, *id).await.map_err(Failure::from)?;
    let certificates = vpn_users::certificates(&state.db, *id).await.map_err(Failure::from)?;
    let now = clock::now();
    let since = UsageUnit::Day.start(now) - Duration::days(29);
    let days = activity::of_user(&state.db, *id, since).await.map_err(Failure::from)?;
    let recent = sessions::latest_of_user(&state.db, *id, RECENT)
        .await
        .map_err(Failure::from)?;
    let ccds: Vec<CcdView> = ccds.into_iter().map(CcdView::from).collect();
    Ok(Json(VpnUserDetail {
        user: user.into(),
        ccd: ccds.first().cloned(),
        ccds,
        routes: routes.into_iter().map(RouteView::from).collect(),
        certificates: certificates.into_iter().map(CertificateView::from).collect(),
        traffic_30_days: TrafficView::of(&days),
        recent_sessions: recent.into_iter().map(|row| row.view(now)).collect(),
    }))
}

impl From<CcdRow> for CcdView {
    fn from(row: CcdRow) -> Self {
        Self {
            server_instance: row.server_instance,
            ifconfig_ip: row.ccd.ifconfig_ip.map(|network| network.ip()),
            ifconfig_netmask: row.ccd.ifconfig_netmask.map(|network| network.ip()),
            ifconfig_ip6: row.ccd.ifconfig_ip6.map(|network| network.ip()),
            disabled: row.ccd.disabled,
            updated_at: row.ccd.updated_at,
        }
    }
}

impl From<CertificateRow> for CertificateView {
    fn from(row: CertificateRow) -> Self {
        Self {
            server_instance: row.server_instance,
            serial: row.certificate.serial,
            expires_at: row.certificate.expires_at,
            revoked_at: row.certificate.revoked_at,
        }
    }
}

impl From<RouteRow> for RouteView {
    fn from(row: RouteRow) -> Self {
        Self {
            server_instance: row.server_instance,
            route_type: row.route.route_type,
            network: row.route.network.ip(),
            netmask: row.route.netmask.ip(),
            gateway: row.route.gateway.map(|network| network.ip()),
            comment: row.route.comment,
            for_all: row.route.vpn_user_id.is_none(),
        }
    }
}

impl TrafficView {
    fn of(days: &[UserDay]) -> Self {
        let sum = |bytes: fn(&UserDay) -> i64| days.iter().map(bytes).fold(0, i64::saturating_add);
        Self {
            bytes_in: sum(|day| day.bytes_in),
            bytes_out: sum(|day| day.bytes_out),
        }
    }
}
