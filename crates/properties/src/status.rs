//! Status reports.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use openvpn::status::{ListedClient, StatusReport, parse_status};

/// What is read makes sense, whatever the line ends; and as the daemon would write it in its other versions, it is read as the same.
pub(crate) fn status(input: &[u8]) {
    let text = crate::text(input);
    let read = parse_status(&text);
    assert_eq!(parse_status(&text.replace('\n', "\r\n")), read);
    let Ok(report) = read else { return };
    assert!(matches!(report.version, 1..=3));
    // Whoever has a session has a name and is somewhere.
    let mut sessions = report.clients.iter().filter(|client| client.is_session());
    assert!(sessions.all(|client| !client.common_name.is_empty() && client.real_ip.is_some()));
    if report.version > 1 && can_be_written(&report) {
        for (version, separator) in [(2, ","), (3, "\t")] {
            let mut same = report.clone();
            same.version = version;
            assert_eq!(parse_status(&write(&report, separator)), Ok(same));
        }
    }
}

/// Nothing is quoted in a report: a separator may stand in a common name only, and there it has to be a comma.
fn can_be_written(report: &StatusReport) -> bool {
    let plain = |text: &str| !text.contains([',', '\t', '\r']);
    let known = |text: &Option<String>| text.as_deref().is_none_or(plain);
    known(&report.daemon)
        && report.clients.iter().all(|client| {
            !client.common_name.contains(['\t', '\r']) && known(&client.username) && known(&client.cipher)
        })
}

fn write(report: &StatusReport, separator: &str) -> String {
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        let _ = writeln!(text, "{}", cells.join(separator));
    };
    line(&["TITLE".to_owned(), report.daemon.clone().unwrap_or_default()]);
    line(&[
        "TIME".to_owned(),
        "as the daemon's zone has it".to_owned(),
        report.at.unix_timestamp().to_string(),
    ]);
    line(
        &[
            "HEADER",
            "CLIENT_LIST",
            "Common Name",
            "Real Address",
            "Virtual Address",
            "Virtual IPv6 Address",
            "Bytes Received",
            "Bytes Sent",
            "Connected Since",
            "Connected Since (time_t)",
            "Username",
            "Client ID",
            "Peer ID",
            "Data Channel Cipher",
        ]
        .map(str::to_owned),
    );
    for client in &report.clients {
        line(&row(client));
    }
    if let Some(dco) = report.dco {
        line(&["GLOBAL_STATS", "dco_enabled", if dco { "1" } else { "0" }].map(str::to_owned));
    }
    text + "END\n"
}

fn row(client: &ListedClient) -> [String; 13] {
    let real_address = match (client.real_ip, client.real_port) {
        (Some(ip), Some(port)) => SocketAddr::new(ip, port).to_string(),
        (ip, _) => or_empty(ip),
    };
    let undefined = || "UNDEF".to_owned();
    [
        "CLIENT_LIST".to_owned(),
        client.common_name.clone(),
        real_address,
        or_empty::<IpAddr>(client.virtual_ip),
        or_empty::<IpAddr>(client.virtual_ip6),
        or_empty(client.bytes_received),
        or_empty(client.bytes_sent),
        String::new(),
        or_empty(client.connected_at.map(time::OffsetDateTime::unix_timestamp)),
        client.username.clone().unwrap_or_else(undefined),
        or_empty(client.cid),
        "0".to_owned(),
        client.cipher.clone().unwrap_or_default(),
    ]
}

fn or_empty<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
