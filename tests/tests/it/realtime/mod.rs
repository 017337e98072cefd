//! What happens now, as portal users see it over `/ws`, with real events behind it.

mod access;
mod load;
mod outages;

use std::collections::BTreeMap;
use std::time::Duration;

use test_support::{LiveList, Socket, SocketRequest, Stack};
use tokio::time::{Instant, timeout_at};

/// Events of the past shall not time out.
const CENTURY: &str = "3155760000";

/// The first admin on a gateway, before anything was read.
async fn enter(stack: &Stack, gateway: usize) -> Socket {
    let url = stack.realtime(gateway).url();
    SocketRequest::to(&url).enter(&stack.api().token().await).await
}

/// Version by id of the sessions that are active in the database.
async fn active_in_database(stack: &Stack) -> BTreeMap<String, i64> {
    let query = "SELECT id, version FROM vpn_session WHERE session_status = 'active'";
    let rows = stack.database().rows(query).await;
    let entry = |row: &serde_json::Value| {
        let id = row["id"].as_str().expect("an id").to_owned();
        (id, row["version"].as_i64().expect("a version"))
    };
    rows.iter().map(entry).collect()
}

/// Reads until the list is what is expected.
async fn reaches(socket: &mut Socket, list: &mut LiveList, expected: &BTreeMap<String, i64>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while list.versions() != *expected {
        match timeout_at(deadline, socket.next()).await {
            Ok(Ok(frame)) => list.take(&frame),
            Ok(Err(closed)) => panic!("the socket ended: {closed:?}"),
            Err(_) => panic!(
                "the list is {:?}, not {expected:?}; faults: {:?}",
                list.versions(),
                list.faults
            ),
        }
    }
}
