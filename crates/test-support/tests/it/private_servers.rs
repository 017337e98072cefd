use std::net::TcpStream;

use test_support::{PrivateServers, Stack, eventually};

#[tokio::test]
async fn what_was_committed_survives_a_crash_of_postgresql() {
    let servers = PrivateServers::start().await;
    let database = servers.database();
    database.sql("INSERT INTO vpn_server (name) VALUES ('vpn-1')").await;
    servers.postgres.kill().await;
    assert!(!answers(servers.postgres.port));
    servers.postgres.start().await;
    assert_eq!(database.count("SELECT count(*) FROM vpn_server").await, 1);
}

#[tokio::test]
async fn nats_and_redis_stop_and_come_back_on_the_same_port() {
    let servers = PrivateServers::start().await;
    for server in [&servers.nats, &servers.redis] {
        assert!(answers(server.port));
        server.stop().await;
        assert!(!answers(server.port));
        server.start().await;
        server.kill().await;
        assert!(!answers(server.port));
        server.start().await;
        assert!(answers(server.port));
    }
}

#[tokio::test]
async fn a_stack_lives_on_when_its_own_postgresql_comes_back() {
    let stack = Stack::builder().private_servers().start().await;
    stack.agent("vpn-1").connects("jdoe").await;
    stack.servers().postgres.kill().await;
    stack.servers().postgres.start().await;
    stack.agent("vpn-1").connects("alice").await;
    eventually("both sessions to be stored", async || {
        (stack.database().count("SELECT count(*) FROM vpn_session").await == 2).then_some(())
    })
    .await;
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
