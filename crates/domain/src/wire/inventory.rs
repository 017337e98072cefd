//! The body of `PUT /api/v1/inventory`. It is taken as a whole or not at all: an entry left out would be one that is gone.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Deserialize;
use time::OffsetDateTime;

use super::WireError;
use super::checks::{EARLIEST, MAX_AHEAD, MAX_COMMON_NAME, is_clean};
use crate::inventory::{Ccd, Certificate, Inventory, Route, RouteType};
use crate::time_format::parse_rfc3339;

const INVALID: &str = "invalid_inventory";
const MAX_COMMENT: usize = 255;
/// RFC 5280: at most 20 bytes.
const MAX_SERIAL: usize = 40;

/// A body of `PUT /api/v1/inventory`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryRequest {
    pub server_id: String,
    /// The agent's clock when it sent the request.
    pub sent_at: Option<OffsetDateTime>,
    pub inventory: Inventory,
}

#[derive(Deserialize)]
struct RawBody {
    server_id: Option<String>,
    sent_at: Option<String>,
    taken_at: Option<String>,
    certificates: Option<Vec<RawCertificate>>,
    ccds: Option<Vec<RawCcd>>,
    routes: Option<Vec<RawRoute>>,
}

#[derive(Deserialize)]
struct RawCertificate {
    common_name: String,
    serial: String,
    expires_at: String,
    revoked_at: Option<String>,
}

#[derive(Deserialize)]
struct RawCcd {
    common_name: String,
    ifconfig_ip: Option<Ipv4Addr>,
    ifconfig_netmask: Option<Ipv4Addr>,
    ifconfig_ip6: Option<Ipv6Addr>,
    disabled: Option<bool>,
}

#[derive(Deserialize)]
struct RawRoute {
    common_name: Option<String>,
    route_type: String,
    network: String,
    gateway: Option<IpAddr>,
    comment: Option<String>,
}

/// Reads a body that arrived at `received_at` and has at most `max_entries` certificates, static addresses and routes.
///
/// # Errors
/// [`WireError`] names the first thing that is wrong.
pub fn parse_inventory(
    body: &[u8],
    received_at: OffsetDateTime,
    max_entries: usize,
) -> Result<InventoryRequest, WireError> {
    let raw: RawBody = serde_json::from_slice(body).map_err(|error| match error.is_data() {
        true => invalid(format!("The inventory is not of its shape: {error}.")),
        false => WireError::NotJson(error.to_string()),
    })?;
    let (certificates, ccds, routes) = (
        raw.certificates.unwrap_or_default(),
        raw.ccds.unwrap_or_default(),
        raw.routes.unwrap_or_default(),
    );
    let found = certificates.len() + ccds.len() + routes.len();
    if found > max_entries {
        return Err(WireError::TooManyEntries {
            found,
            limit: max_entries,
        });
    }
    let taken_at = raw.taken_at.ok_or(WireError::MissingField("taken_at"))?;
    let taken_at = time(&taken_at, "taken_at")?;
    if taken_at < EARLIEST || taken_at > received_at.saturating_add(MAX_AHEAD) {
        let detail = "taken_at must be from 2000 on and at most 24 hours after its arrival.";
        return Err(invalid(detail.to_owned()));
    }
    Ok(InventoryRequest {
        server_id: raw.server_id.ok_or(WireError::MissingField("server_id"))?,
        sent_at: raw.sent_at.map(|text| time(&text, "sent_at")).transpose()?,
        inventory: Inventory {
            // A clock that was ahead once would otherwise make every later inventory an old one.
            taken_at: taken_at.min(received_at),
            certificates: last_of_each(certificates, "certificates", certificate, |one| {
                (one.common_name.clone(), one.serial.clone())
            })?,
            ccds: last_of_each(ccds, "ccds", ccd, |one| one.common_name.clone())?,
            routes: last_of_each(routes, "routes", route, |one| {
                (
                    one.common_name.clone(),
                    one.route_type,
                    one.network,
                    one.prefix,
                    one.gateway,
                )
            })?,
        },
    })
}

/// Checks each entry; of those with the same key the last one counts.
fn last_of_each<R, T, K: Ord>(
    raw: Vec<R>,
    list: &str,
    check: fn(R) -> Result<T, String>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, WireError> {
    let mut checked = BTreeMap::new();
    for (index, entry) in raw.into_iter().enumerate() {
        let entry = check(entry).map_err(|problem| invalid(format!("{list}[{index}].{problem}.")))?;
        checked.insert(key(&entry), entry);
    }
    Ok(checked.into_values().collect())
}

fn certificate(raw: RawCertificate) -> Result<Certificate, String> {
    let at = |text: &str, name: &str| parse_rfc3339(text).ok_or_else(|| format!("{name} is no RFC 3339 time"));
    Ok(Certificate {
        common_name: common_name(raw.common_name)?,
        serial: serial(&raw.serial).ok_or("serial is not hexadecimal of at most 20 bytes")?,
        expires_at: at(&raw.expires_at, "expires_at")?,
        revoked_at: raw.revoked_at.map(|text| at(&text, "revoked_at")).transpose()?,
    })
}

fn ccd(raw: RawCcd) -> Result<Ccd, String> {
    Ok(Ccd {
        common_name: common_name(raw.common_name)?,
        ifconfig_ip: raw.ifconfig_ip,
        ifconfig_netmask: raw.ifconfig_netmask,
        ifconfig_ip6: raw.ifconfig_ip6,
        disabled: raw.disabled.unwrap_or_default(),
    })
}

fn route(raw: RawRoute) -> Result<Route, String> {
    let (network, prefix) = network(&raw.network).ok_or("network is not ADDRESS/PREFIX with host bits zero")?;
    let comment = raw.comment.filter(|comment| !comment.is_empty());
    if comment.as_ref().is_some_and(|comment| !is_clean(comment, MAX_COMMENT)) {
        return Err("comment is longer than 255 characters or has control characters".to_owned());
    }
    Ok(Route {
        common_name: raw.common_name.map(common_name).transpose()?,
        route_type: RouteType::parse(&raw.route_type).ok_or("route_type is neither push nor iroute")?,
        network,
        prefix,
        gateway: raw.gateway,
        comment,
    })
}

fn common_name(name: String) -> Result<String, String> {
    match !name.is_empty() && is_clean(&name, MAX_COMMON_NAME) {
        true => Ok(name),
        false => Err("common_name is not 1 to 255 characters without control characters".to_owned()),
    }
}

fn serial(text: &str) -> Option<String> {
    let digits = text.trim_start_matches('0');
    let valid = !text.is_empty() && digits.len() <= MAX_SERIAL && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| {
        if digits.is_empty() {
            "0".to_owned()
        } else {
            digits.to_ascii_lowercase()
        }
    })
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let (address, prefix): (IpAddr, u8) = (address.parse().ok()?, prefix.parse().ok()?);
    let (zeros, bits) = match address {
        IpAddr::V4(address) => (address.to_bits().trailing_zeros(), 32),
        IpAddr::V6(address) => (address.to_bits().trailing_zeros(), 128),
    };
    let host_bits = u32::checked_sub(bits, prefix.into())?;
    (zeros >= host_bits).then_some((address, prefix))
}

fn time(text: &str, name: &str) -> Result<OffsetDateTime, WireError> {
    parse_rfc3339(text).ok_or_else(|| invalid(format!("{name} is {text:?}, expected an RFC 3339 time.")))
}

fn invalid(detail: String) -> WireError {
    WireError::InvalidField { error: INVALID, detail }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-02-13 12:00 UTC);

    type Change = fn(&mut Value);

    fn body() -> Value {
        json!({"server_id": "vpn-1", "sent_at": "2026-02-13T12:00:00Z", "taken_at": "2026-02-13T11:59:00Z",
            "certificates": [{"common_name": "jdoe", "serial": "0A1B", "expires_at": "2029-02-23T21:59:01Z", "revoked_at": null}],
            "ccds": [{"common_name": "jdoe", "ifconfig_ip": "10.8.0.9", "ifconfig_netmask": "255.255.255.0"}],
            "routes": [{"common_name": "jdoe", "route_type": "iroute", "network": "fd42:77::/64"},
                {"route_type": "push", "network": "10.1.0.0/16", "gateway": "10.8.0.1", "comment": "head office"}]})
    }

    fn parse(body: &Value) -> Result<InventoryRequest, WireError> {
        parse_inventory(body.to_string().as_bytes(), NOW, 10)
    }

    #[test]
    fn an_inventory_is_read() {
        let inventory = parse(&body()).unwrap().inventory;
        assert_eq!(inventory.taken_at, datetime!(2026-02-13 11:59 UTC));
        assert_eq!(inventory.certificates[0].serial, "a1b");
        assert_eq!(inventory.ccds[0].ifconfig_ip, Some([10, 8, 0, 9].into()));
        let names: Vec<Option<&str>> = inventory.routes.iter().map(|one| one.common_name.as_deref()).collect();
        assert_eq!(names, [None, Some("jdoe")]);
        let empty = json!({"server_id": "vpn-1", "taken_at": "2026-02-13T11:59:00Z"});
        assert_eq!(parse(&empty).unwrap().inventory.common_names().count(), 0);
    }

    #[test]
    fn a_clock_that_is_ahead_is_ours() {
        let mut ahead = body();
        ahead["taken_at"] = json!("2026-02-14T11:00:00Z");
        assert_eq!(parse(&ahead).unwrap().inventory.taken_at, NOW);
    }

    #[test]
    fn of_entries_of_one_key_the_last_counts() {
        let mut twice = body();
        let list = twice["certificates"].as_array_mut().unwrap();
        list.push(json!({"common_name": "jdoe", "serial": "a1b", "expires_at": "2030-01-01T00:00:00Z"}));
        let certificates = parse(&twice).unwrap().inventory.certificates;
        assert_eq!(certificates.len(), 1);
        assert_eq!(certificates[0].expires_at, datetime!(2030-01-01 0:00 UTC));
    }

    #[test]
    fn what_is_wrong_is_named_and_refuses_the_whole() {
        let refusal = |change: Change| {
            let mut body = body();
            change(&mut body);
            let error = parse(&body).unwrap_err();
            format!("{}: {error}", error.as_str())
        };
        let cases: [(Change, &str); 9] = [
            (
                |body| body["certificates"][0]["serial"] = json!("xyz"),
                "invalid_inventory: certificates[0].serial",
            ),
            (
                |body| body["certificates"][0]["expires_at"] = json!("soon"),
                "invalid_inventory: certificates[0].expires_at",
            ),
            (
                |body| body["certificates"][0]["common_name"] = json!("a\nb"),
                "invalid_inventory: certificates[0].common_name",
            ),
            (
                |body| body["ccds"][0]["ifconfig_ip"] = json!("here"),
                "invalid_inventory: The inventory is not of its shape",
            ),
            (
                |body| body["routes"][1]["network"] = json!("10.1.2.3/16"),
                "invalid_inventory: routes[1].network",
            ),
            (
                |body| body["routes"][1]["network"] = json!("10.1.0.0/33"),
                "invalid_inventory: routes[1].network",
            ),
            (
                |body| body["routes"][0]["route_type"] = json!("pull"),
                "invalid_inventory: routes[0].route_type",
            ),
            (
                |body| body["taken_at"] = json!("2026-02-15T12:00:00Z"),
                "invalid_inventory: taken_at",
            ),
            (|body| body["taken_at"] = Value::Null, "missing_field"),
        ];
        for (change, expected) in cases {
            let found = refusal(change);
            assert!(found.starts_with(expected), "{found} should start with {expected}");
        }
        let many = parse_inventory(body().to_string().as_bytes(), NOW, 3).unwrap_err();
        assert_eq!(many.as_str(), "too_many_entries");
        assert_eq!(parse_inventory(b"{", NOW, 3).unwrap_err().as_str(), "invalid_json");
    }
}
