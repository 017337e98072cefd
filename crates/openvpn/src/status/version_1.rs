//! Status reports of version 1, made for people: without the columns' names, in local time.

use std::collections::HashMap;
use std::net::IpAddr;

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::{ListedClient, StatusError, StatusReport};
use crate::real_address::RealAddress;

/// Version 1 writes the machine's local time without its zone; the recordings were made in UTC.
const LOCAL_TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
/// `Sun Nov 22 13:36:40 2026`: daemons before 2.5.
const LOCAL_TIME_OF_2_4: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]");

/// Version 1 has no identifiers: virtual addresses come from its routing table, by common name and real address.
pub(super) fn parse(lines: &[&str]) -> Result<StatusReport, StatusError> {
    let mut at = None;
    let mut clients = Vec::new();
    let mut addresses: HashMap<(String, String), Vec<IpAddr>> = HashMap::new();
    let mut section = "";
    for line in lines {
        match *line {
            "OpenVPN CLIENT LIST" | "ROUTING TABLE" | "GLOBAL STATS" => section = line,
            line if line.starts_with("Updated,") => at = local_time(&line["Updated,".len()..]),
            line if line.starts_with("Common Name,") || line.starts_with("Virtual Address,") => {}
            line if section == "OpenVPN CLIENT LIST" => {
                clients.push(client(line).ok_or_else(|| StatusError::MalformedRow(line.to_owned()))?);
            }
            line if section == "ROUTING TABLE" => {
                if let Some((key, address)) = route(line) {
                    addresses.entry(key).or_default().push(address);
                }
            }
            _ => {}
        }
    }
    let with_addresses = |(address, mut client): (String, ListedClient)| {
        let held = addresses
            .get(&(client.common_name.clone(), address))
            .map_or(&[][..], Vec::as_slice);
        client.virtual_ip = held.iter().find(|ip| ip.is_ipv4()).copied();
        client.virtual_ip6 = held.iter().find(|ip| ip.is_ipv6()).copied();
        client
    };
    let clients = clients.into_iter().map(with_addresses).collect();
    Ok(StatusReport {
        version: 1,
        at: at.ok_or(StatusError::NoTime)?,
        daemon: None,
        dco: None,
        clients,
    })
}

/// `Common Name,Real Address,Bytes Received,Bytes Sent,Connected Since`, read from the right because of commas in names.
fn client(line: &str) -> Option<(String, ListedClient)> {
    let mut cells = line.rsplitn(5, ',');
    let (since, sent, received, address, name) = (
        cells.next()?,
        cells.next()?,
        cells.next()?,
        cells.next()?,
        cells.next()?,
    );
    let real = RealAddress::parse(address)?;
    let client = ListedClient {
        common_name: name.to_owned(),
        real_ip: Some(real.ip),
        real_port: real.port,
        bytes_received: Some(received.parse().ok()?),
        bytes_sent: Some(sent.parse().ok()?),
        connected_at: local_time(since),
        ..ListedClient::default()
    };
    Some((address.to_owned(), client))
}

/// `Virtual Address,Common Name,Real Address,Last Ref`; whole networks behind a client are not addresses of its own.
fn route(line: &str) -> Option<((String, String), IpAddr)> {
    let (address, rest) = line.split_once(',')?;
    let (rest, _last_reference) = rest.rsplit_once(',')?;
    let (name, real_address) = rest.rsplit_once(',')?;
    Some(((name.to_owned(), real_address.to_owned()), address.parse().ok()?))
}

fn local_time(text: &str) -> Option<OffsetDateTime> {
    let parsed =
        PrimitiveDateTime::parse(text, LOCAL_TIME).or_else(|_| PrimitiveDateTime::parse(text, LOCAL_TIME_OF_2_4));
    parsed.ok().map(PrimitiveDateTime::assume_utc)
}
