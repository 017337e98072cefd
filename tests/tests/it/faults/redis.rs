use test_support::{Stack, eventually, redis_command};

use super::live_sessions;
use super::stored::assert_live_cache;

#[tokio::test]
async fn without_redis_processing_goes_on_and_the_live_cache_is_filled_when_it_is_back() {
    let stack = Stack::builder().private_servers().start().await;
    let (agent, redis) = (stack.agent("vpn-1"), &stack.servers().redis);
    agent.connects("stays").await;
    agent.connects("leaves").await;
    assert_live_cache(&stack).await;
    assert_eq!(live_sessions(&stack).await.len(), 2);

    redis.stop().await;
    agent.connects("comes").await;
    agent.disconnects("leaves").await;
    let ready = format!("{}/readyz", stack.processor(0).url());
    assert_eq!(reqwest::get(ready).await.expect("it answers").status(), 200);
    redis.start().await;
    assert_live_cache(&stack).await;
    assert_eq!(live_sessions(&stack).await.len(), 2);

    redis.kill().await;
    agent.disconnects("comes").await;
    redis.start().await;
    assert_live_cache(&stack).await;
    agent.connects("comes later").await;
    assert_live_cache(&stack).await;
    assert_eq!(live_sessions(&stack).await.len(), 2);
}

#[tokio::test]
async fn a_flushed_live_cache_is_filled_again() {
    let stack = Stack::builder().private_servers().start().await;
    let agent = stack.agent("vpn-1");
    for user in ["one", "two", "three"] {
        agent.connects(user).await;
    }
    assert_live_cache(&stack).await;
    redis_command(stack.variable("REDIS_URL"), &["FLUSHALL"]).await;
    eventually("the sessions to be live again", async || {
        (live_sessions(&stack).await.len() == 3).then_some(())
    })
    .await;
}
