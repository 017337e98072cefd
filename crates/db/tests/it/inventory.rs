use db::apply::Request;
use domain::inventory::{Ccd, Certificate, Inventory, Route, RouteType};
use serde_json::{Value, json};
use time::Duration;

use crate::support::{Bench, NOW, request};

fn inventory() -> Inventory {
    Inventory {
        taken_at: NOW,
        certificates: Vec::new(),
        ccds: Vec::new(),
        routes: Vec::new(),
    }
}

/// Expires so many days after the present, which is what a certificate's validity is about.
fn certificate(common_name: &str, serial: &str, days: i64) -> Certificate {
    Certificate {
        common_name: common_name.to_owned(),
        serial: serial.to_owned(),
        expires_at: test_support::now() + Duration::days(days),
        revoked_at: None,
    }
}

fn ccd(common_name: &str, last: u8) -> Ccd {
    Ccd {
        common_name: common_name.to_owned(),
        ifconfig_ip: Some([10, 8, 0, last].into()),
        ifconfig_netmask: Some([255, 255, 255, 0].into()),
        ifconfig_ip6: Some("fd00::9".parse().unwrap()),
        disabled: false,
    }
}

fn route(common_name: Option<&str>, network: &str, prefix: u8) -> Route {
    Route {
        common_name: common_name.map(str::to_owned),
        route_type: RouteType::Push,
        network: network.parse().unwrap(),
        prefix,
        gateway: None,
        comment: None,
    }
}

fn told(server_id: i32, inventory: Inventory) -> Request {
    Request {
        inventory: Some(inventory),
        ..request(server_id, "vpn", Vec::new())
    }
}

/// Everything that inventories have brought, with the row versions: what was not written anew is told apart.
async fn stored(bench: &Bench) -> Vec<Value> {
    bench
        .database
        .rows(
            "SELECT 'certificate' AS kind, server_id, u.common_name, concat_ws(' ', serial, c.revoked_at IS NOT NULL, c.ctid) AS what
                FROM vpn_user_certificate c JOIN vpn_user u ON u.id = vpn_user_id
            UNION ALL SELECT 'ccd', server_id, u.common_name, concat_ws(' ', ifconfig_ip, ifconfig_netmask, ifconfig_ip6, c.ctid)
                FROM vpn_user_ccd c JOIN vpn_user u ON u.id = vpn_user_id
            UNION ALL SELECT 'route', server_id, u.common_name, concat_ws(' ', route_type, network, netmask, r.ctid)
                FROM vpn_user_route r LEFT JOIN vpn_user u ON u.id = vpn_user_id ORDER BY 1, 2, 3, 4",
        )
        .await
}

fn keys(rows: &[Value]) -> Vec<String> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("all").to_owned();
    rows.iter()
        .map(|row| {
            let what = text(row, "what");
            let (what, _version) = what.rsplit_once(' ').unwrap();
            format!("{} {} {what}", text(row, "kind"), text(row, "common_name"))
        })
        .collect()
}

#[tokio::test]
async fn the_newest_inventory_of_a_server_is_what_is_stored_of_it() {
    let mut bench = Bench::new().await;
    let (server, other) = (bench.server("vpn-1", false).await, bench.server("vpn-2", false).await);
    let first = Inventory {
        certificates: vec![certificate("anna", "a1", 100), certificate("ben", "b1", 100)],
        ccds: vec![ccd("anna", 9), ccd("ben", 10)],
        routes: vec![
            route(None, "10.1.0.0", 16),
            route(Some("anna"), "fd42:77::", 64),
            route(Some("ben"), "10.2.0.0", 16),
        ],
        ..inventory()
    };
    let elsewhere = Inventory {
        certificates: vec![certificate("ben", "b1", 100)],
        ..inventory()
    };
    bench
        .apply(&[told(server, first.clone()), told(other, elsewhere)])
        .await;
    let before = stored(&bench).await;
    assert_eq!(
        keys(&before),
        [
            "ccd anna 10.8.0.9 255.255.255.0 fd00::9",
            "ccd ben 10.8.0.10 255.255.255.0 fd00::9",
            "certificate anna a1 f",
            "certificate ben b1 f",
            "certificate ben b1 f",
            "route anna push fd42:77:: ffff:ffff:ffff:ffff::",
            "route ben push 10.2.0.0 255.255.0.0",
            "route all push 10.1.0.0 255.255.0.0",
        ]
    );

    // The same again, and the same told later: not a row is written.
    let same = Inventory {
        taken_at: NOW + Duration::SECOND,
        ..first.clone()
    };
    bench.apply(&[told(server, first.clone())]).await;
    bench.apply(&[told(server, same)]).await;
    assert_eq!(stored(&bench).await, before);

    // What is not in the next one is gone, and only of this server.
    let next = Inventory {
        taken_at: NOW + Duration::MINUTE,
        certificates: vec![first.certificates[0].clone()],
        ccds: vec![ccd("anna", 11)],
        routes: vec![route(None, "10.1.0.0", 16)],
    };
    bench.apply(&[told(server, next)]).await;
    let after = stored(&bench).await;
    assert_eq!(
        keys(&after),
        [
            "ccd anna 10.8.0.11 255.255.255.0 fd00::9",
            "certificate anna a1 f",
            "certificate ben b1 f",
            "route all push 10.1.0.0 255.255.0.0",
        ]
    );

    // An older one that comes late changes nothing and makes nobody known.
    let late = Inventory {
        taken_at: NOW + Duration::seconds(30),
        certificates: vec![certificate("mallory", "cc", 100)],
        ..inventory()
    };
    bench.apply(&[told(server, late)]).await;
    assert_eq!(stored(&bench).await, after);
    let names = bench.database.rows("SELECT common_name FROM vpn_user ORDER BY 1").await;
    assert_eq!(names, [json!({"common_name": "anna"}), json!({"common_name": "ben"})]);
}

#[tokio::test]
async fn of_several_inventories_in_a_batch_the_newest_counts() {
    let mut bench = Bench::new().await;
    let server = bench.server("vpn-1", false).await;
    let with = |serial: &str, seconds: i64| Inventory {
        taken_at: NOW + Duration::seconds(seconds),
        certificates: vec![certificate("anna", serial, 100)],
        ..inventory()
    };
    let batch = [(1, "a1"), (3, "a3"), (2, "a2")].map(|(seconds, serial)| told(server, with(serial, seconds)));
    bench.apply(&batch).await;
    assert_eq!(keys(&stored(&bench).await), ["certificate anna a3 f"]);
}

/// What the portal shows of a VPN user: days until its certificate expires, and whether it is revoked.
async fn shown(bench: &Bench, common_name: &str) -> (Option<i64>, bool) {
    let sql = format!(
        "SELECT round(extract(epoch FROM cert_expiry_at - now()) / 86400)::bigint AS days, revoked_at IS NOT NULL AS revoked
        FROM vpn_user WHERE common_name = '{common_name}'"
    );
    let row = bench.database.rows(&sql).await.remove(0);
    (row["days"].as_i64(), row["revoked"].as_bool().unwrap())
}

#[tokio::test]
async fn of_several_certificates_the_valid_one_that_expires_last_counts() {
    let mut bench = Bench::new().await;
    let (server, other) = (bench.server("vpn-1", false).await, bench.server("vpn-2", false).await);
    let mut at = NOW;
    let mut tell = async |server: i32, certificates: &[Certificate]| {
        at += Duration::MINUTE;
        let inventory = Inventory {
            taken_at: at,
            certificates: certificates.to_vec(),
            ..inventory()
        };
        bench.apply(&[told(server, inventory)]).await;
        shown(&bench, "anna").await
    };
    let revoked = |mut certificate: Certificate| {
        certificate.revoked_at = Some(NOW);
        certificate
    };
    let (old, new) = (certificate("anna", "01", 10), certificate("anna", "02", 400));
    assert_eq!(tell(server, &[old.clone(), new.clone()]).await, (Some(400), false));
    // The new one was lost and revoked: the old one still lets in.
    assert_eq!(
        tell(server, &[old.clone(), revoked(new.clone())]).await,
        (Some(10), false)
    );
    assert_eq!(
        tell(server, &[revoked(old.clone()), revoked(new.clone())]).await,
        (Some(400), true)
    );
    // An expired one is no way in, although nobody revoked it.
    let expired = certificate("anna", "00", -10);
    assert_eq!(tell(server, &[expired, revoked(new.clone())]).await, (Some(400), true));
    // Another server lets it in.
    assert_eq!(tell(other, &[old]).await, (Some(10), false));
    assert_eq!(tell(other, &[]).await, (Some(400), true));
    assert_eq!(tell(server, &[]).await, (None, false));
}
