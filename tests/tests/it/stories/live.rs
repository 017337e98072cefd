//! The live cache in Redis: what is active now, rebuilt whenever it is lost.

use serde_json::json;
use test_support::contains;

use super::{active, session, stack};
use crate::live_cache::LiveCache;

#[tokio::test]
async fn the_live_cache_holds_the_active_sessions_and_their_facts() {
    let stack = stack().await;
    let (agent, cache) = (stack.agent("vpn-1"), LiveCache::of(&stack));
    let jdoe = agent.connects("jdoe").at("10:00:00").await;
    let bob = agent.connects("bob").at("10:00:00").await;
    cache.lists([jdoe, bob]).await;
    agent.updates("bob").bytes(10, 20).at("10:10:00").await;
    agent.disconnects("jdoe").at("10:30:00").await;
    cache.lists([bob]).await;

    let mut listed = session(&stack, bob, active()).await;
    let live = cache.session(bob).await.expect("bob is there");
    let fields = listed.as_object_mut().expect("a session");
    // What the clock changes, what the portal adds, and what is left out when it is empty.
    for name in [
        "duration_seconds",
        "user_type",
        "full_name",
        "email",
        "known_by",
        "timeline",
        "commands",
        "events",
        "earlier_events_left_out",
        "client",
    ] {
        fields.remove(name);
    }
    assert!(
        contains(&live, &listed),
        "the cache holds {live:#}, the list shows {listed:#}"
    );
}

#[tokio::test]
async fn the_live_cache_is_rebuilt_when_redis_has_lost_it() {
    let stack = stack().await;
    let (agent, cache) = (stack.agent("vpn-1"), LiveCache::of(&stack));
    let stays = agent.connects("jdoe").at("10:00:00").await;
    let ends = agent.connects("bob").at("10:00:00").await;
    cache.lists([stays, ends]).await;
    cache.is_lost().await;
    agent.disconnects("bob").at("10:30:00").await;
    cache.lists([stays]).await;
    assert_eq!(
        cache.session(stays).await.expect("jdoe is there")["common_name"],
        "jdoe"
    );
}

#[tokio::test]
async fn a_session_that_was_withdrawn_comes_back() {
    let stack = stack().await;
    let (agent, cache) = (stack.agent("vpn-1"), LiveCache::of(&stack));
    agent.snapshot(json!([{"common_name": "jdoe"}])).at("10:00:00").await;
    let list = stack.api().shows("/api/sessions", &json!({"total": 1})).await;
    let listed = list["sessions"][0]["id"].as_str().expect("an id");
    let listed = listed.parse().expect("a UUID");
    cache.lists([listed]).await;
    // The connect shows that the list spoke of this session; an end before the list, that it spoke of another one.
    let connect = agent.connects("jdoe").at("09:00:00").await;
    cache.lists([connect]).await;
    agent.disconnects("jdoe").at("09:30:00").await;
    cache.lists([listed]).await;
    session(&stack, listed, active()).await;
}

#[tokio::test]
async fn a_cache_that_lists_what_has_ended_is_put_right_when_the_processor_starts() {
    let stack = stack().await;
    let (agent, cache) = (stack.agent("vpn-1"), LiveCache::of(&stack));
    let ends = agent.connects("jdoe").at("10:00:00").await;
    let stays = agent.connects("bob").at("10:00:00").await;
    cache.lists([ends, stays]).await;
    stack.processor(0).kill();
    // As if another replica had stored the end and died before it could tell.
    let end =
        "UPDATE vpn_session SET session_status = 'disconnected', ended_by = 'reported', disconnected_at = connected_at,
        end_not_after = connected_at, version = version + 1 WHERE id = ";
    stack.database().sql(&format!("{end} '{ends}'")).await;
    stack.processor(0).start();
    cache.lists([stays]).await;
    let told = cache.session(ends).await.expect("late writers are kept out by it");
    assert!(contains(&told, &json!({"session_status": "disconnected"})), "{told}");
}
