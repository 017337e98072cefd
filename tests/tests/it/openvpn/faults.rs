//! What the product stands on goes away while a command is on its way.

use test_support::{Stack, eventually};

use super::Lab;
use super::commands::{command_in, terminate};
use super::lab::skipped;
use super::sessions::{ended_exactly, sessions_of, status, the_session};

#[tokio::test]
async fn a_command_is_carried_out_once_whichever_server_is_killed_under_it() {
    if skipped() {
        return;
    }
    let builder = Stack::builder()
        .private_servers()
        .with("ingest", "INGEST_COMMAND_WATCH_SECONDS", "2");
    let stack = builder.start().await;
    let lab = Lab::start(&stack, "vpn-real").await;
    let servers = stack.servers();
    for (name, server) in [
        ("nats", &servers.nats),
        ("postgres", &servers.postgres),
        ("redis", &servers.redis),
    ] {
        let client = lab.connect(name).await;
        let session = the_session(&stack, name, "active", status("active")).await;
        terminate(&stack, &session, None).await;
        server.kill().await;
        server.start().await;
        for service in [stack.ingest(0), stack.query_api()] {
            service.ready().await;
        }
        let command = command_in(&stack, &session, &["reconnected"]).await;
        let sessions = eventually("the session that was ended and the new one", async || {
            let sessions = sessions_of(&stack, name).await;
            (sessions.len() == lab.times_connected(&client) && ended_exactly(&sessions[0])).then_some(sessions)
        })
        .await;
        assert_eq!(sessions.len(), 2, "{name}: {sessions:#?}");
        assert_eq!(sessions[0]["ended_by"], "terminated", "{name}");
        assert_eq!(command["reconnected_session_id"], sessions[1]["id"], "{name}");
        lab.disconnect(&client).await;
    }
    let servers = stack.api().get("/api/servers").await;
    assert_eq!(servers["servers"][0]["gaps"]["missing_events"], 0, "{servers:#?}");
}
