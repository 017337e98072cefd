use test_support::{LiveList, Stack, eventually};

use super::{CENTURY, active_in_database, enter, reaches};

#[tokio::test]
async fn sockets_outlive_redis_and_nats() {
    let builder = Stack::builder().private_servers().processors(2).realtime(1);
    let stack = builder
        .with("session-processor", "SESSION_TIMEOUT_SECONDS", CENTURY)
        .start()
        .await;
    let (agent, mut list) = (stack.agent("vpn-1"), LiveList::default());
    let mut socket = enter(&stack, 0).await;
    agent.connects("stays").await;
    agent.connects("leaves").await;
    reaches(&mut socket, &mut list, &active_in_database(&stack).await).await;

    stack.servers().redis.stop().await;
    agent.disconnects("leaves").await;
    agent.connects("comes").await;
    reaches(&mut socket, &mut list, &active_in_database(&stack).await).await;
    stack.servers().redis.start().await;
    agent.connects("comes with redis").await;
    reaches(&mut socket, &mut list, &active_in_database(&stack).await).await;

    stack.servers().nats.kill().await;
    stack.servers().nats.start().await;
    eventually("events are taken again", async || {
        let connect = agent.connects("comes with nats").json();
        let reply = agent.try_post_events(serde_json::json!([connect])).await.ok()?;
        (reply.status == 200).then_some(())
    })
    .await;
    reaches(&mut socket, &mut list, &active_in_database(&stack).await).await;
    assert_eq!((list.ids().len(), list.faults), (4, Vec::new()));
    assert!(list.snapshots >= 2);
}
