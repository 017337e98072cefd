//! `GET /api/servers/{id}/health`.

use serde_json::json;

use crate::rig::Rig;

#[tokio::test]
async fn heartbeats_of_a_day_are_shown_in_parts_with_their_highest_values() {
    let rig = Rig::start().await;
    let server = rig.server("vpn-1").await;
    rig.database
        .sql(&format!(
            "INSERT INTO server_health_sample (server_id, minute, cpu_percent, session_count, active_sessions, clock_skew_ms)
             SELECT {server}, date_trunc('minute', now()) - n * interval '1 minute', n % 90, n, 7, CASE n WHEN 5 THEN -900 ELSE 3 END
             FROM generate_series(0, 3000) n"
        ))
        .await;
    let shown = rig.get(&format!("/api/servers/{server}/health")).await;
    let samples = shown["samples"].as_array().unwrap();
    assert!((450..=500).contains(&samples.len()), "{} samples", samples.len());
    assert_eq!(shown["step_seconds"], 180);
    assert_eq!(samples.last().unwrap()["active_sessions"], 7);
    let furthest = samples.iter().filter(|sample| sample["clock_skew_ms"] == -900).count();
    assert_eq!(furthest, 1);
    let times: Vec<&str> = samples.iter().map(|sample| sample["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    let quiet = rig.server("vpn-2").await;
    assert_eq!(
        rig.get(&format!("/api/servers/{quiet}/health")).await["samples"],
        json!([])
    );
}

#[tokio::test]
async fn a_range_that_is_none_is_refused() {
    let rig = Rig::start().await;
    let path = format!("/api/servers/{}/health", rig.server("vpn-1").await);
    for query in [
        "from_date=2026-02-14&to_date=2026-02-13",
        "from_date=2020-01-01&to_date=2026-02-13",
        "from_date=yesterday",
        "from_date=9999-12-31T23:59:59Z",
    ] {
        rig.refuses(&format!("{path}?{query}"), "invalid_parameter", "from_date")
            .await;
    }
    assert_eq!(rig.problem(404, "/api/servers/99/health").await["error"], "not_found");
}
