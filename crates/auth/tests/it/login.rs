use domain::role::Role;
use futures_util::future::join_all;
use serde_json::json;

use crate::rig::{PASSWORD, Rig};

#[tokio::test]
async fn the_right_password_gives_a_token_and_is_audited() {
    let rig = Rig::new().await;
    let id = rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;

    let answer = auth.login("JDoe", PASSWORD).await.expect(200).json();

    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    let entries = rig
        .database
        .rows("SELECT * FROM audit_log WHERE action = 'login'")
        .await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["actor_portal_user_id"], id);
    assert_eq!(entries[0]["actor_name"], "jdoe");
    assert_eq!(entries[0]["ip_address"], "127.0.0.1");
    assert_eq!(entries[0]["request_id"], "login-1");
    assert_eq!(
        rig.database
            .count("SELECT count(*) FROM portal_user WHERE last_portal_login_at > created_at")
            .await,
        1
    );
}

#[tokio::test]
async fn unknown_wrong_and_inactive_logins_get_the_same_answer() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    rig.portal_user("gone", &[Role::Viewer]).await;
    rig.database
        .sql("UPDATE portal_user SET is_active = false WHERE username = 'gone'")
        .await;
    let auth = rig.serve().await;

    let attempts = [
        ("jdoe", "Wrong-passw0rd"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("", ""),
    ];
    let mut answers = Vec::new();
    for (username, password) in attempts {
        let mut answer = auth.login(username, password).await.expect(401);
        answer.headers.remove("date");
        answers.push((answer.body, answer.headers));
    }

    assert!(answers[0].0.contains(r#""error":"invalid_credentials""#));
    for answer in &answers {
        assert_eq!(*answer, answers[0]);
    }
    let reasons = rig
        .database
        .sql("SELECT actor_name, details_json ->> 'reason' FROM audit_log WHERE action = 'login_failed' ORDER BY id");
    assert_eq!(
        reasons.await,
        "jdoe|wrong_password\nnobody|unknown_user\ngone|inactive\nunknown|unknown_user"
    );
}

#[tokio::test]
async fn what_is_no_login_is_refused_with_a_problem() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let refused = [
        (json!({"username": "jdoe"}), "invalid_body"),
        (
            json!({"username": "jdoe", "password": PASSWORD, "is_active": true}),
            "invalid_body",
        ),
        (
            json!({"username": "jdoe", "password": "x".repeat(1025)}),
            "password_too_long",
        ),
        (json!([]), "invalid_body"),
    ];
    for (body, error) in refused {
        let answer = auth.login_with(&body).await.expect(400);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["error"], error, "{body}");
    }
    auth.login("nobody", &"é".repeat(1024)).await.expect(401);
}

#[tokio::test]
async fn more_logins_than_the_queue_holds_are_asked_to_come_back() {
    let mut rig = Rig::new().await;
    rig.set("AUTH_HASH_WORKERS", "1");
    rig.set("AUTH_HASH_QUEUE", "0");
    let auth = rig.serve().await;

    let answers = join_all((0..30).map(|_| auth.login("nobody", PASSWORD))).await;

    let busy: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!busy.is_empty() && busy.len() < 30, "{} of 30 were refused", busy.len());
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 503 || answer.status == 401)
    );
    assert_eq!(busy[0].header("retry-after"), Some("1"));
    assert_eq!(busy[0].json()["error"], "too_many_logins");
    auth.login("nobody", PASSWORD).await.expect(401);
}

#[tokio::test]
async fn no_log_holds_a_password_a_hash_or_a_token() {
    let mut rig = Rig::new().await;
    rig.set("LOG_LEVEL", "trace");
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let token = auth.token("jdoe").await;
    auth.me(&token).await.expect(200);
    auth.login("jdoe", "Wrong-passw0rd-1").await.expect(401);
    auth.login("Typed-1nto-wrong-field", "x").await.expect(401);
    auth.login_with(&json!({"username": "jdoe", "password": 1_234_567_890}))
        .await
        .expect(400);
    auth.login_with(&json!({"username": "jdoe", "password": "Unexpected-1", "otp": 1_234_567_890}))
        .await
        .expect(400);
    auth.login_with(&json!({"username": "jdoe", "password": PASSWORD, "otp": "Unexpected-2"}))
        .await
        .expect(200);
    auth.refresh("Unexpected-3").await.expect(401);
    auth.process.terminate();
    auth.process.exited().await;

    let log = auth.process.log();
    assert!(log.contains("TRACE"), "everything is logged");
    for secret in [
        PASSWORD,
        "Wrong-passw0rd-1",
        "1234567890",
        "Unexpected-",
        "Typed-1nto",
        "$argon2id$",
        &token,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let everything = rig.database.sql("SELECT audit_log FROM audit_log").await;
    for secret in [PASSWORD, "Wrong-passw0rd-1", "Typed-1nto", "argon2"] {
        assert!(!everything.contains(secret), "{secret} is in the audit log");
    }
}
