//! Which sessions a request asks for, and in which order.

use db::Db;
use db::entities::enums::{SessionStatus, UserType};
use db::sessions::{IpNetwork, SessionFilter, SessionOrder, SessionSort, parse_network};
use service_kit::Problem;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::error::invalid_parameter;
use crate::parameters::{DATE_OR_TIME, Parameters, beginning, first_behind, one_of};
use crate::servers;

/// Longer search terms are no names.
const LONGEST_SEARCH: usize = 255;

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct SessionFilterParams {
    /// Status; repeat it or separate by commas for several.
    #[param(required = false)]
    status: Vec<SessionStatus>,
    /// Name of a VPN server; repeat it or separate by commas for several.
    #[param(required = false)]
    server_instance: Vec<String>,
    /// Address (`10.8.0.2`, `fd00::2`) or network (`10.8.0.0/24`) that holds the real or a virtual address.
    #[param(example = "10.8.0.0/24")]
    ip: Option<String>,
    /// Address or network that holds the real address.
    #[param(example = "203.0.113.0/24")]
    real_ip: Option<String>,
    /// Address or network that holds a virtual address.
    #[param(example = "10.8.0.2")]
    virtual_ip: Option<String>,
    /// Sessions that connected at or after: RFC 3339 time, or a day from its beginning in UTC.
    #[param(example = "2026-02-13")]
    from_date: Option<String>,
    /// Sessions that connected at or before: RFC 3339 time, or a day until its end in UTC.
    #[param(example = "2026-02-13T12:00:00Z")]
    to_date: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents and names the parameters")]
pub(crate) struct SessionHolderParams {
    /// Id of a VPN user.
    user_id: Option<i64>,
    /// Type of the VPN user; repeat it or separate by commas for several.
    #[param(required = false)]
    user_type: Vec<UserType>,
    /// Part of the VPN user's common name, full name or e-mail.
    search: Option<String>,
}

/// Reads the filter. Only documented parameters get here, so a list that documents fewer is narrowed by fewer.
pub(crate) async fn read<P: IntoParams>(db: &Db, parameters: &Parameters<P>) -> Result<SessionFilter, Problem> {
    let id = |text: &str| text.parse::<i64>().ok();
    Ok(SessionFilter {
        statuses: statuses(parameters)?,
        server_ids: servers::named(db, parameters).await?.into_values().collect(),
        vpn_user_id: parameters.value("user_id", "the number of a VPN user", id)?,
        user_types: parameters.values("user_type", "internal, external, contractor or guest", one_of)?,
        search: search(parameters)?,
        network: network(parameters, "ip")?,
        real_network: network(parameters, "real_ip")?,
        virtual_network: network(parameters, "virtual_ip")?,
        ids: ids(parameters)?,
        connected_from: parameters.value("from_date", DATE_OR_TIME, beginning)?,
        connected_before: parameters.value("to_date", DATE_OR_TIME, first_behind)?,
    })
}

fn network<P: IntoParams>(parameters: &Parameters<P>, name: &str) -> Result<Option<IpNetwork>, Problem> {
    parameters.value(name, "an address (10.8.0.2) or a network (10.8.0.0/24)", parse_network)
}

/// More ids are no selection that a person made.
const MOST_IDS: usize = 500;

fn ids<P: IntoParams>(parameters: &Parameters<P>) -> Result<Vec<Uuid>, Problem> {
    let ids = parameters.values("id", "the UUID of a session", |text| Uuid::try_parse(text).ok())?;
    if ids.len() > MOST_IDS {
        return Err(invalid_parameter("id", "At most 500 sessions can be named."));
    }
    Ok(ids)
}

fn statuses<P: IntoParams>(parameters: &Parameters<P>) -> Result<Vec<SessionStatus>, Problem> {
    parameters.values("status", "active, disconnected or timeout", one_of)
}

/// Reads a search term.
pub(crate) fn search<P: IntoParams>(parameters: &Parameters<P>) -> Result<Option<String>, Problem> {
    let short = |text: &str| (text.chars().count() <= LONGEST_SEARCH).then(|| text.to_owned());
    parameters.value("search", "at most 255 characters", short)
}

const KEYS: [(&str, SessionSort); 11] = [
    ("connected_at", SessionSort::ConnectedAt),
    ("last_seen_at", SessionSort::LastSeenAt),
    ("disconnected_at", SessionSort::DisconnectedAt),
    ("duration_seconds", SessionSort::DurationSeconds),
    ("bytes_in", SessionSort::BytesIn),
    ("bytes_out", SessionSort::BytesOut),
    ("real_ip", SessionSort::RealIp),
    ("virtual_ip", SessionSort::VirtualIp),
    ("common_name", SessionSort::CommonName),
    ("server_instance", SessionSort::ServerInstance),
    ("session_status", SessionSort::SessionStatus),
];

/// Reads `sort`: the newest connect first when it is not given.
pub(crate) fn order<P: IntoParams>(parameters: &Parameters<P>) -> Result<SessionOrder, Problem> {
    let (sort, descending) = sort_key(parameters, &KEYS)?.unwrap_or((SessionSort::ConnectedAt, true));
    Ok(SessionOrder { sort, descending })
}

/// Reads a `sort` of these keys: the key, and whether it has a `-` before it.
pub(crate) fn sort_key<P: IntoParams, K: Copy>(
    parameters: &Parameters<P>,
    keys: &[(&str, K)],
) -> Result<Option<(K, bool)>, Problem> {
    let Some(text) = parameters.text("sort")? else {
        return Ok(None);
    };
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let found = keys
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, sort)| (*sort, descending));
    let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
    let detail = || {
        format!(
            "`sort` must be one of {}, with `-` before it to descend, not `{text}`.",
            names.join(", ")
        )
    };
    found.map(Some).ok_or_else(|| invalid_parameter("sort", detail()))
}

/// The direction in which a list of this order can be walked by cursor.
pub(crate) fn cursor_direction(order: SessionOrder) -> Option<bool> {
    (order.sort == SessionSort::ConnectedAt).then_some(order.descending)
}
