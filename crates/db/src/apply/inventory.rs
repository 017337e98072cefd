//! What the VPN servers have in store for their VPN users. The newest inventory of a server is what is stored of it: what it does
//! not have goes, and what is as before is not touched.

use std::collections::BTreeMap;

use domain::inventory::Inventory;
use sqlx::PgConnection;
use sqlx::types::ipnetwork::IpNetwork;

use super::Request;
use super::state::ServerState;
use super::users::Users;
use crate::Error;

/// The newest inventory of each server in the batch, unless one as new is stored already.
pub(super) fn newest<'a>(
    requests: &'a [Request],
    servers: &BTreeMap<i32, ServerState>,
) -> BTreeMap<i32, &'a Inventory> {
    let mut newest: BTreeMap<i32, &Inventory> = BTreeMap::new();
    for request in requests {
        let Some(inventory) = &request.inventory else { continue };
        let stored = servers.get(&request.server_id).and_then(|server| server.inventory_at);
        let known = newest.get(&request.server_id).map(|known| known.taken_at);
        if stored.max(known).is_none_or(|taken_at| taken_at < inventory.taken_at) {
            newest.insert(request.server_id, inventory);
        }
    }
    newest
}

/// Makes the stored inventories of these servers these.
pub(super) async fn replace(
    connection: &mut PgConnection,
    inventories: &BTreeMap<i32, &Inventory>,
    users: &Users<'_>,
) -> Result<(), Error> {
    for (server_id, inventory) in inventories {
        let concerned = replace_certificates(connection, *server_id, inventory, users).await?;
        choose_certificates(connection, &concerned).await?;
        replace_ccds(connection, *server_id, inventory, users).await?;
        replace_routes(connection, *server_id, inventory, users).await?;
        sqlx::query("UPDATE vpn_server_state SET inventory_at = $2 WHERE server_id = $1")
            .bind(server_id)
            .bind(inventory.taken_at)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Answers the VPN users of whom a certificate came, changed or went.
async fn replace_certificates(
    connection: &mut PgConnection,
    server_id: i32,
    inventory: &Inventory,
    users: &Users<'_>,
) -> Result<Vec<i64>, Error> {
    let sql = "WITH new AS (
            SELECT * FROM unnest($2::bigint[], $3::text[], $4::timestamptz[], $5::timestamptz[])
                AS n (vpn_user_id, serial, expires_at, revoked_at)),
        gone AS (
            DELETE FROM vpn_user_certificate c WHERE c.server_id = $1
                AND NOT EXISTS (SELECT FROM new n WHERE n.vpn_user_id = c.vpn_user_id AND n.serial = c.serial)
            RETURNING c.vpn_user_id),
        put AS (
            INSERT INTO vpn_user_certificate AS c (server_id, vpn_user_id, serial, expires_at, revoked_at)
            SELECT $1, n.* FROM new n
            ON CONFLICT (vpn_user_id, server_id, serial) DO UPDATE
                SET expires_at = excluded.expires_at, revoked_at = excluded.revoked_at, updated_at = now()
                WHERE (c.expires_at, c.revoked_at) IS DISTINCT FROM (excluded.expires_at, excluded.revoked_at)
            RETURNING c.vpn_user_id)
        SELECT vpn_user_id FROM gone UNION SELECT vpn_user_id FROM put";
    let certificates = &inventory.certificates;
    let ids: Vec<i64> = certificates.iter().map(|one| users.id(&one.common_name)).collect();
    Ok(sqlx::query_scalar(sql)
        .bind(server_id)
        .bind(ids)
        .bind(certificates.iter().map(|one| one.serial.as_str()).collect::<Vec<_>>())
        .bind(certificates.iter().map(|one| one.expires_at).collect::<Vec<_>>())
        .bind(certificates.iter().map(|one| one.revoked_at).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?)
}

/// Of several certificates with one common name the valid one that expires last counts, because it is what lets the VPN user in:
/// a renewed certificate does not bar the old one, and a revoked one does not bar the new one. Where none is valid, it is the one
/// that would have expired last.
async fn choose_certificates(connection: &mut PgConnection, vpn_user_ids: &[i64]) -> Result<(), Error> {
    let sql = "UPDATE vpn_user u SET cert_expiry_at = c.expires_at, revoked_at = c.revoked_at
        FROM unnest($1::bigint[]) AS n (id) LEFT JOIN LATERAL (
            SELECT c.expires_at, c.revoked_at FROM vpn_user_certificate c WHERE c.vpn_user_id = n.id
            ORDER BY (c.revoked_at IS NULL AND c.expires_at > now()) DESC, c.expires_at DESC, c.revoked_at DESC NULLS LAST
            LIMIT 1) c ON true
        WHERE u.id = n.id AND (u.cert_expiry_at, u.revoked_at) IS DISTINCT FROM (c.expires_at, c.revoked_at)";
    sqlx::query(sql).bind(vpn_user_ids).execute(connection).await?;
    Ok(())
}

async fn replace_ccds(
    connection: &mut PgConnection,
    server_id: i32,
    inventory: &Inventory,
    users: &Users<'_>,
) -> Result<(), Error> {
    let sql = "WITH new AS (
            SELECT * FROM unnest($2::bigint[], $3::inet[], $4::inet[], $5::inet[], $6::boolean[])
                AS n (vpn_user_id, ip, netmask, ip6, disabled)),
        gone AS (
            DELETE FROM vpn_user_ccd c WHERE c.server_id = $1
                AND NOT EXISTS (SELECT FROM new n WHERE n.vpn_user_id = c.vpn_user_id))
        INSERT INTO vpn_user_ccd AS c (server_id, vpn_user_id, ifconfig_ip, ifconfig_netmask, ifconfig_ip6, disabled)
        SELECT $1, n.* FROM new n
        ON CONFLICT (vpn_user_id, server_id) DO UPDATE
            SET ifconfig_ip = excluded.ifconfig_ip, ifconfig_netmask = excluded.ifconfig_netmask,
                ifconfig_ip6 = excluded.ifconfig_ip6, disabled = excluded.disabled, updated_at = now()
            WHERE (c.ifconfig_ip, c.ifconfig_netmask, c.ifconfig_ip6, c.disabled) IS DISTINCT FROM
                (excluded.ifconfig_ip, excluded.ifconfig_netmask, excluded.ifconfig_ip6, excluded.disabled)";
    let ccds = &inventory.ccds;
    let v4 = |ip: Option<std::net::Ipv4Addr>| ip.map(|ip| IpNetwork::from(std::net::IpAddr::from(ip)));
    sqlx::query(sql)
        .bind(server_id)
        .bind(ccds.iter().map(|one| users.id(&one.common_name)).collect::<Vec<_>>())
        .bind(ccds.iter().map(|one| v4(one.ifconfig_ip)).collect::<Vec<_>>())
        .bind(ccds.iter().map(|one| v4(one.ifconfig_netmask)).collect::<Vec<_>>())
        .bind(
            ccds.iter()
                .map(|one| one.ifconfig_ip6.map(|ip| IpNetwork::from(std::net::IpAddr::from(ip))))
                .collect::<Vec<_>>(),
        )
        .bind(ccds.iter().map(|one| one.disabled).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Routes have no key but all that they say. Compared by `=` as far as can be: what may be null would be compared one by one.
async fn replace_routes(
    connection: &mut PgConnection,
    server_id: i32,
    inventory: &Inventory,
    users: &Users<'_>,
) -> Result<(), Error> {
    let sql = "WITH new AS (
            SELECT * FROM unnest($2::bigint[], $3::text[], $4::inet[], $5::inet[], $6::inet[], $7::text[])
                AS n (vpn_user_id, route_type, network, netmask, gateway, comment)),
        gone AS (
            DELETE FROM vpn_user_route r WHERE r.server_id = $1 AND NOT EXISTS (SELECT FROM new n
                WHERE coalesce(n.vpn_user_id, 0) = coalesce(r.vpn_user_id, 0) AND n.route_type = r.route_type
                    AND n.network = r.network AND n.netmask = r.netmask
                    AND (n.gateway, n.comment) IS NOT DISTINCT FROM (r.gateway, r.comment)))
        INSERT INTO vpn_user_route (server_id, vpn_user_id, route_type, network, netmask, gateway, comment)
        SELECT $1, n.* FROM new n WHERE NOT EXISTS (SELECT FROM vpn_user_route r WHERE r.server_id = $1
            AND coalesce(n.vpn_user_id, 0) = coalesce(r.vpn_user_id, 0) AND n.route_type = r.route_type
            AND n.network = r.network AND n.netmask = r.netmask
            AND (n.gateway, n.comment) IS NOT DISTINCT FROM (r.gateway, r.comment))";
    let routes = &inventory.routes;
    let ids: Vec<Option<i64>> = routes
        .iter()
        .map(|one| one.common_name.as_deref().map(|name| users.id(name)))
        .collect();
    let netmasks = routes
        .iter()
        .map(|one| {
            let network = IpNetwork::new(one.network, one.prefix).map_err(|error| Error::refused(error.to_string()))?;
            Ok(IpNetwork::from(network.mask()))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    sqlx::query(sql)
        .bind(server_id)
        .bind(ids)
        .bind(routes.iter().map(|one| one.route_type.as_str()).collect::<Vec<_>>())
        .bind(
            routes
                .iter()
                .map(|one| IpNetwork::from(one.network))
                .collect::<Vec<_>>(),
        )
        .bind(netmasks)
        .bind(
            routes
                .iter()
                .map(|one| one.gateway.map(IpNetwork::from))
                .collect::<Vec<_>>(),
        )
        .bind(routes.iter().map(|one| one.comment.as_deref()).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
