//! Rule 9: clocks are off, durations are never negative.

use serde_json::json;
use test_support::now;
use time::Duration;

use super::{reported, server, session, stack};

#[tokio::test]
async fn a_server_whose_clock_is_off_is_flagged_until_it_is_right_again() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    agent.clock_is_off_by(Duration::hours(-1));
    agent.connects("jdoe").at(&agent.now()).await;
    let off = json!({"clock_is_skewed": true, "status": "degraded", "troubles": ["clock_skew"]});
    let shown = server(&stack, "vpn-1", off).await;
    let skew = shown["clock_skew_ms"].as_i64().expect("a skew");
    assert!((-3_600_000 - 60_000..=-3_600_000).contains(&skew), "{skew} ms");

    agent.clock_is_off_by(Duration::ZERO);
    agent.disconnects("jdoe").at(&agent.now()).await;
    server(
        &stack,
        "vpn-1",
        json!({"clock_is_skewed": false, "status": "healthy", "troubles": []}),
    )
    .await;
}

#[tokio::test]
async fn durations_are_never_negative_although_clocks_step_back_or_run_ahead() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    let stepped_back = agent.connects("jdoe").at("12:00:00").await;
    agent.disconnects("jdoe").session(stepped_back).at("11:59:50").await;
    let shown = session(&stack, stepped_back, reported("12:00:00")).await;
    assert_eq!(shown["duration_seconds"], 0);

    agent.clock_is_off_by(Duration::hours(1));
    let ahead = agent.connects("bob").at(&agent.now()).await;
    session(
        &stack,
        ahead,
        json!({"session_status": "active", "duration_seconds": 0}),
    )
    .await;
}

#[tokio::test]
async fn an_event_from_the_far_future_is_refused_by_name() {
    let stack = stack().await;
    let agent = stack.agent("vpn-1");
    agent.clock_is_off_by(Duration::days(2));
    let good = agent.connects("bob");
    let reply = agent
        .post_events(json!([agent.connects("jdoe").at(&agent.now()).json(), good.json()]))
        .await;
    let answer = reply.expect(200).json();
    assert_eq!(
        answer["errors"][0]["error"],
        "event_time_out_of_range",
        "{answer} at {}",
        now()
    );
    assert_eq!(answer["events_accepted"], 1);
}
