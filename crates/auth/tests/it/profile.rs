use domain::role::Role;
use serde_json::json;

use crate::rig::{PASSWORD, Rig};

const NEW_PASSWORD: &str = "Another-g00d-one";

#[tokio::test]
async fn everybody_sees_and_edits_the_own_account() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    for role in Role::ALL {
        let person = rig.person(&auth, role.as_str(), &[role]).await;
        let profile = person.get("/api/profile").await.expect(200).json();
        assert_eq!(profile["username"], role.as_str());
        assert_eq!(profile["roles"], json!([{"id": role.id(), "name": role.as_str()}]));
        assert_eq!(
            (&profile["required_action"], &profile["totp_enabled"]),
            (&json!(null), &json!(false))
        );
        assert!(profile["last_portal_login_at"].is_string());
        let edited = person
            .put("/api/profile", &json!({"email": "me@example.com", "version": 1}))
            .await
            .expect(200)
            .json();
        assert_eq!(
            (&edited["email"], &edited["version"]),
            (&json!("me@example.com"), &json!(2))
        );
        let stale = person
            .put("/api/profile", &json!({"email": "x@example.com", "version": 1}))
            .await
            .expect(409)
            .json();
        assert_eq!(stale["error"], "version_conflict");
        person
            .put("/api/profile", &json!({"email": "no address"}))
            .await
            .expect(422);
        let entries = rig.audited("portal_user", person.id).await;
        assert_eq!(
            entries[1]["details"],
            json!({"before": {"email": null}, "after": {"email": "me@example.com"}})
        );
    }
}

#[tokio::test]
async fn nobody_comes_in_without_a_token() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    for path in [
        "/api/profile",
        "/api/profile/logins",
        "/api/profile/audit",
        "/api/profile/sessions",
    ] {
        test_support::Reply::to(auth.get(path)).await.expect(401);
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_logins_and_keeps_this_one() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let mut here = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let there = here.elsewhere().await;

    let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    let answer = here
        .post("/api/profile/change-password", &change)
        .await
        .expect(200)
        .json();

    here.get("/api/profile").await.expect(401);
    there.get("/api/profile").await.expect(401);
    here.token = answer["access_token"].as_str().unwrap().to_owned();
    let sessions = here.get("/api/profile/sessions").await.expect(200).json();
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["sessions"][0]["is_current"], true);
    here.plain_login().await.expect(401);
    here.login(NEW_PASSWORD, None).await.expect(200);
    let profile = here.get("/api/profile").await.expect(200).json();
    assert!(profile["password_changed_at"].is_string());
    let log = rig.database.sql("SELECT audit_log FROM audit_log").await;
    for secret in [PASSWORD, NEW_PASSWORD, "argon2"] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_keeps_the_rules() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let change = async |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        person.post("/api/profile/change-password", &body).await
    };
    let wrong = change("Wrong-passw0rd-1", NEW_PASSWORD).await.expect(403).json();
    assert_eq!(wrong["error"], "wrong_password");
    let weak = change(PASSWORD, "P@ssw0rd").await.expect(422).json();
    assert!(weak["detail"].as_str().unwrap().contains("less common"), "{weak}");
    let same = change(PASSWORD, PASSWORD).await.expect(422).json();
    assert_eq!(
        same["fields"]["new_password"],
        json!(["needs to differ from the current one"])
    );
    person.plain_login().await.expect(200);
    let wrong_ones = "SELECT count(*) FROM audit_log WHERE details_json->>'reason' = 'wrong_current_password'";
    assert_eq!(rig.database.count(wrong_ones).await, 1);
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_with_a_stolen_token() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let body = json!({"current_password": "Wrong-passw0rd-1", "new_password": NEW_PASSWORD});
    for _ in 0..10 {
        person.post("/api/profile/change-password", &body).await.expect(403);
    }
    let answer = person.post("/api/profile/change-password", &body).await.expect(429);
    assert_eq!(answer.json()["error"], "too_many_attempts");
    assert!(answer.header("retry-after").is_some());
    let disable = person
        .post("/api/profile/totp/disable", &json!({"password": PASSWORD}))
        .await;
    disable.expect(429);
}

#[tokio::test]
async fn logins_and_sessions_are_listed_and_can_be_ended_one_by_one() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let here = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let there = here.elsewhere().await;
    let stranger = rig.person(&auth, "stranger", &[Role::Admin]).await;
    here.login("Wrong-passw0rd-1", None).await.expect(401);

    let history = here.get("/api/profile/logins").await.expect(200).json();
    assert_eq!(history["logins"].as_array().unwrap().len(), 2);
    assert_eq!(history["failures"].as_array().unwrap().len(), 1);
    assert_eq!(history["failures"][0]["outcome"], "wrong_password");
    assert_eq!(history["logins"][0]["ip_address"], "127.0.0.1");
    let sessions = here.get("/api/profile/sessions").await.expect(200).json();
    let listed = sessions["sessions"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    let other = listed.iter().find(|session| session["is_current"] == false).unwrap();
    let path = format!("/api/profile/sessions/{}", other["id"].as_str().unwrap());

    stranger.delete(&path).await.expect(404);
    here.delete("/api/profile/sessions/nonsense").await.expect(400);
    here.delete(&path).await.expect(204);

    there.get("/api/profile").await.expect(401);
    here.get("/api/profile").await.expect(200);
    here.delete(&path).await.expect(404);
    let reason = rig
        .database
        .sql("SELECT end_reason FROM portal_session WHERE ended_at IS NOT NULL")
        .await;
    assert_eq!(reason, "signed_out_elsewhere");
    let own = here.get("/api/profile/audit").await.expect(200).json();
    let actions: Vec<_> = own["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(actions, ["logout", "login", "login"]);
}

#[tokio::test]
async fn the_own_doings_are_the_last_ten() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    for number in 0..12 {
        person
            .put("/api/profile", &json!({"email": format!("me{number}@example.com")}))
            .await
            .expect(200);
    }
    let own = person.get("/api/profile/audit").await.expect(200).json();
    assert_eq!(own["entries"].as_array().unwrap().len(), 10);
    assert_eq!(own["entries"][0]["details"]["after"]["email"], "me11@example.com");
}
