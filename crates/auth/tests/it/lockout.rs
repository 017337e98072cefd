use std::time::{Duration, Instant};

use domain::role::Role;
use futures_util::future::join_all;
use serde_json::json;
use test_support::Reply;

use crate::rig::{Auth, PASSWORD, Rig};

const WRONG: &str = "Wrong-passw0rd-1";

impl Auth {
    async fn login_from(&self, source: &str, username: &str, password: &str) -> Reply {
        let request = self.post("/api/auth/login").header("x-request-id", "login-1");
        let body = json!({"username": username, "password": password});
        Reply::to(request.header("x-forwarded-for", source).json(&body)).await
    }
}

async fn outcomes(rig: &Rig) -> String {
    let query = "SELECT string_agg(outcome, ' ' ORDER BY id) FROM login_attempt";
    rig.database.sql(query).await
}

#[tokio::test]
async fn five_failures_lock_the_account_for_that_source_only() {
    let rig = Rig::new().await;
    let id = rig.portal_user("jdoe", &[Role::Viewer]).await;
    rig.portal_user("other", &[Role::Viewer]).await;
    let (auth, replica) = (rig.serve().await, rig.serve().await);
    for server in [&auth, &replica, &auth, &replica, &auth] {
        server.login_from("198.51.100.7", "JDoe", WRONG).await.expect(401);
    }

    for server in [&auth, &replica] {
        let locked = server.login_from("198.51.100.7", "jdoe", PASSWORD).await.expect(401);
        assert_eq!(locked.json()["error"], "invalid_credentials");
    }
    auth.login_from("198.51.100.8", "jdoe", PASSWORD).await.expect(200);
    auth.login_from("198.51.100.7", "other", PASSWORD).await.expect(200);
    let lockouts = rig
        .database
        .rows("SELECT * FROM audit_log WHERE action = 'lockout'")
        .await;
    assert_eq!(lockouts.len(), 1);
    assert_eq!(lockouts[0]["object_id"], id.to_string());
    assert_eq!(lockouts[0]["details_json"]["source"], "198.51.100.7/32");
    assert_eq!(
        outcomes(&rig).await,
        "wrong_password wrong_password wrong_password wrong_password wrong_password locked locked accepted accepted"
    );
}

#[tokio::test]
async fn a_lock_ends_when_it_said_and_failures_before_it_count_no_more() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    for _ in 0..5 {
        auth.login("jdoe", WRONG).await.expect(401);
    }
    let later = |seconds: u32| {
        format!(
            "UPDATE login_attempt SET at = at - interval '{seconds} seconds', \
             locked_until = locked_until - interval '{seconds} seconds'"
        )
    };
    rig.database.sql(&later(890)).await;
    auth.login("jdoe", PASSWORD).await.expect(401);
    rig.database.sql(&later(11)).await;
    for _ in 0..4 {
        auth.login("jdoe", WRONG).await.expect(401);
    }
    auth.login("jdoe", PASSWORD).await.expect(200);
    // A success starts the count anew.
    for _ in 0..4 {
        auth.login("jdoe", WRONG).await.expect(401);
    }
    auth.login("jdoe", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn failures_are_forgotten_after_fifteen_minutes() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    for _ in 0..4 {
        auth.login("jdoe", WRONG).await.expect(401);
    }
    rig.database
        .sql("UPDATE login_attempt SET at = at - interval '901 seconds'")
        .await;
    auth.login("jdoe", WRONG).await.expect(401);
    auth.login("jdoe", PASSWORD).await.expect(200);
}

#[tokio::test]
async fn of_many_guesses_at_once_no_more_than_five_count() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    // The right one among them comes too late, or resets the count: never more than five are judged in a row.
    join_all((0..24).map(|n| auth.login("jdoe", ["Wrong-passw0rd-1", "Wrong-passw0rd-2"][n % 2]))).await;
    let judged = "SELECT count(*) FROM login_attempt WHERE outcome = 'wrong_password'";
    assert_eq!(rig.database.count(judged).await, 5);
    assert_eq!(
        rig.database
            .count("SELECT count(*) FROM login_attempt WHERE outcome = 'locked'")
            .await,
        19
    );
    auth.login("jdoe", PASSWORD).await.expect(401);
}

/// The four kinds of refusal, taken in turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Unknown,
    Wrong,
    Locked,
    Inactive,
}

const REFUSALS: [Refusal; 4] = [Refusal::Unknown, Refusal::Wrong, Refusal::Locked, Refusal::Inactive];
const EACH: usize = 300;

/// Unknown and wrong ones from a source of their own each, so that none of them locks; the locked one from where it is locked.
async fn refuse(auth: &Auth, refusal: Refusal, turn: usize) -> Reply {
    let fresh = format!("10.{}.{}.1", turn / 250, turn % 250);
    let (source, username, password) = match refusal {
        Refusal::Unknown => (fresh.as_str(), "nobody", PASSWORD),
        Refusal::Wrong => (fresh.as_str(), "jdoe", WRONG),
        Refusal::Locked => ("198.51.100.7", "jdoe", PASSWORD),
        Refusal::Inactive => (fresh.as_str(), "gone", PASSWORD),
    };
    auth.login_from(source, username, password).await.expect(401)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures belong to the report")]
async fn unknown_wrong_locked_and_inactive_cannot_be_told_apart() {
    let mut rig = Rig::new().await;
    rig.set("AUTH_HASH_WORKERS", "1");
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    rig.portal_user("gone", &[Role::Viewer]).await;
    rig.database
        .sql("UPDATE portal_user SET is_active = false WHERE username = 'gone'")
        .await;
    let auth = rig.serve().await;
    for _ in 0..5 {
        auth.login_from("198.51.100.7", "jdoe", WRONG).await.expect(401);
    }
    let mut times: [Vec<Duration>; 4] = Default::default();
    let mut seen = None;
    for turn in 0..EACH {
        // Another order each time, so that none always follows the same one.
        for step in 0..REFUSALS.len() {
            let kind = (step * [1, 3][turn % 2] + turn / 2) % REFUSALS.len();
            let asked = Instant::now();
            let mut answer = refuse(&auth, REFUSALS[kind], turn).await;
            times[kind].push(asked.elapsed());
            answer.headers.remove("date");
            let answer = (answer.body, answer.headers);
            assert_eq!(seen.get_or_insert_with(|| answer.clone()), &answer);
        }
    }
    let medians = times.each_mut().map(|times| median(times));
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    println!("medians of unknown, wrong, locked, inactive: {medians:?}");
    assert!(*most - *least < Duration::from_millis(5), "{medians:?}");
    assert_eq!(
        rig.database
            .sql("SELECT outcome, count(*) FROM login_attempt GROUP BY 1 ORDER BY 1")
            .await,
        "inactive|300\nlocked|300\nunknown_user|300\nwrong_password|305"
    );
}
