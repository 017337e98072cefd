use domain::role::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};
use test_support::now;
use totp_rs::{Builder, Secret};

use crate::person::Person;
use crate::rig::{Auth, PASSWORD, Rig};

/// The code that an app shows this many steps from now.
fn code(secret: &str, steps: i64) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let app = Builder::new()
        .with_secret(secret)
        .with_account_name("x")
        .build()
        .unwrap();
    let at = now().unix_timestamp() + steps * 30;
    app.generate(u64::try_from(at).unwrap()).to_string()
}

/// Enrols a second factor and gives its secret and recovery codes.
async fn enrol(person: &Person<'_>) -> (String, Vec<String>) {
    let enrolment = person.post("/api/profile/totp", &json!(null)).await.expect(200).json();
    let secret = enrolment["secret"].as_str().unwrap().to_owned();
    let confirmation = json!({"code": code(&secret, 0)});
    let confirmed = person
        .post("/api/profile/totp/confirm", &confirmation)
        .await
        .expect(200)
        .json();
    let codes = serde_json::from_value(confirmed["recovery_codes"].clone()).unwrap();
    (secret, codes)
}

async fn profile(person: &Person<'_>) -> Value {
    person.get("/api/profile").await.expect(200).json()
}

#[tokio::test]
async fn an_enrolled_factor_is_asked_for_at_the_login() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;

    let enrolment = person.post("/api/profile/totp", &json!(null)).await.expect(200).json();
    let secret = enrolment["secret"].as_str().unwrap();
    assert!(
        enrolment["otpauth_uri"]
            .as_str()
            .unwrap()
            .starts_with("otpauth://totp/OpenVPN%20Telemetry:jdoe?secret=")
    );
    assert!(enrolment["qr_svg"].as_str().unwrap().starts_with("<svg "));
    person.plain_login().await.expect(200);
    let wrong = person
        .post("/api/profile/totp/confirm", &json!({"code": "000000"}))
        .await
        .expect(403)
        .json();
    assert_eq!(wrong["error"], "wrong_code");
    person
        .post("/api/profile/totp/confirm", &json!({"code": "12345"}))
        .await
        .expect(422);
    let confirmed = person
        .post("/api/profile/totp/confirm", &json!({"code": code(secret, 0)}))
        .await
        .expect(200)
        .json();
    assert_eq!(confirmed["recovery_codes"].as_array().unwrap().len(), 10);

    assert_eq!(profile(&person).await["totp_enabled"], true);
    assert_eq!(profile(&person).await["recovery_codes_left"], 10);
    assert_eq!(person.plain_login().await.expect(401).json()["error"], "otp_required");
    assert_eq!(
        person
            .login("Wrong-passw0rd-1", Some(&code(secret, 1)))
            .await
            .expect(401)
            .json()["error"],
        "invalid_credentials"
    );
    person.login(PASSWORD, Some("000000")).await.expect(401);
    person.login(PASSWORD, Some(&code(secret, 1))).await.expect(200);
    let again = person.post("/api/profile/totp", &json!(null)).await.expect(409).json();
    assert_eq!(again["error"], "totp_enabled");
    person
        .post("/api/profile/totp/confirm", &json!({"code": code(secret, 0)}))
        .await
        .expect(409);
}

#[tokio::test]
async fn a_code_is_good_once_even_for_a_hundred_at_once() {
    let mut rig = Rig::new().await;
    rig.set("AUTH_HASH_QUEUE", "200");
    rig.set("LOGIN_REQUESTS_PER_MINUTE", "1000");
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let (secret, _) = enrol(&person).await;
    person.login(PASSWORD, Some(&code(&secret, 0))).await.expect(401);
    let next = code(&secret, 1);

    let answers = join_all((0..100).map(|_| person.login(PASSWORD, Some(&next)))).await;

    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [200, 401].contains(status)),
        "{statuses:?}"
    );
}

/// As above, without the lockout that stands before.
#[tokio::test]
async fn a_step_is_used_up_by_one_of_many() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    enrol(&person).await;
    let db = rig.db().await;
    let sealed = db::totp::find(&db, person.id).await.unwrap().unwrap().sealed_secret;
    let step = now().unix_timestamp() / 30 + 1;

    let used = join_all((0..100).map(|_| db::totp::use_step(&db, person.id, sealed.clone(), step))).await;

    assert_eq!(used.iter().filter(|used| matches!(used, Ok(true))).count(), 1);
    assert!(
        !db::totp::use_step(&db, person.id, sealed.clone(), step - 1)
            .await
            .unwrap(),
        "an older one"
    );
    assert!(
        !db::totp::use_step(&db, person.id, vec![0; 48], step + 1).await.unwrap(),
        "of another secret"
    );
    assert!(db::totp::use_step(&db, person.id, sealed, step + 1).await.unwrap());
}

#[tokio::test]
async fn a_recovery_code_is_good_once() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let (_, codes) = enrol(&person).await;
    let typed = codes[0].to_uppercase().replace('-', " ");

    let answers = join_all((0..4).map(|_| person.login(PASSWORD, Some(&typed)))).await;

    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(profile(&person).await["recovery_codes_left"], 9);
    let entries = rig.audited("portal_user", person.id).await;
    let used: Vec<_> = entries
        .iter()
        .filter(|entry| entry["action"] == "recovery_code_used")
        .collect();
    assert_eq!(used.len(), 1);
    assert_eq!(used[0]["details"], json!({"left": 9}));
    let stored = rig
        .database
        .sql("SELECT encode(code_sha256, 'escape') FROM portal_recovery_code")
        .await;
    assert!(!stored.contains(&codes[1]));
}

#[tokio::test]
async fn one_recovery_code_is_used_up_by_one_of_many() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    enrol(&person).await;
    let db = rig.db().await;
    let hash = rig
        .database
        .sql("SELECT encode(code_sha256, 'hex') FROM portal_recovery_code LIMIT 1")
        .await;
    let bytes: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&hash[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let attempts = (0..50)
        .map(|_| db::totp::use_recovery_code(&db, person.id, bytes.clone(), now(), db::audit::Actor::named("test")));
    let used = join_all(attempts).await;
    assert_eq!(used.iter().filter(|used| matches!(used, Ok(true))).count(), 1);
}

#[tokio::test]
async fn the_secret_is_stored_encrypted_and_never_told_again() {
    let mut rig = Rig::new().await;
    rig.set("LOG_LEVEL", "trace");
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let (secret, codes) = enrol(&person).await;
    person.login(PASSWORD, Some(&codes[0])).await.expect(200);
    auth.process.terminate();
    auth.process.exited().await;

    let raw: String = Secret::try_from_base32(&secret)
        .unwrap()
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let stored = rig
        .database
        .sql("SELECT encode(totp_secret, 'hex') FROM portal_user")
        .await;
    assert_eq!(stored.len(), 2 * (12 + 20 + 16));
    assert!(!stored.contains(&raw));
    let everything = rig.database.sql("SELECT audit_log FROM audit_log").await + &auth.process.log();
    for leaked in [
        secret.as_str(),
        raw.as_str(),
        codes[0].as_str(),
        codes[1].as_str(),
        stored.as_str(),
    ] {
        assert!(!everything.contains(leaked), "{leaked}");
    }
}

#[tokio::test]
async fn disabling_needs_the_password_and_forgets_everything() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let person = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let none = person
        .post("/api/profile/totp/disable", &json!({"password": PASSWORD}))
        .await
        .expect(409)
        .json();
    assert_eq!(none["error"], "totp_not_enabled");
    enrol(&person).await;
    person
        .post("/api/profile/totp/disable", &json!({"password": "Wrong-passw0rd-1"}))
        .await
        .expect(403);

    person
        .post("/api/profile/totp/disable", &json!({"password": PASSWORD}))
        .await
        .expect(204);

    person.plain_login().await.expect(200);
    assert_eq!(profile(&person).await["totp_enabled"], false);
    assert_eq!(rig.database.count("SELECT count(*) FROM portal_recovery_code").await, 0);
    let entries = rig.audited("portal_user", person.id).await;
    let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["create", "update", "mfa_enable", "login_failed", "mfa_disable"]
    );
    enrol(&person).await;
}

#[tokio::test]
async fn where_a_role_demands_a_second_factor_one_can_do_nothing_but_enrol() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let mut person = rig.person(&auth, "jdoe", &[Role::Operator]).await;
    let other = rig.person(&auth, "viewer", &[Role::Viewer]).await;

    let role = admin
        .put("/api/portal-roles/2", &json!({"requires_totp": true}))
        .await
        .expect(200)
        .json();

    assert_eq!(
        (&role["name"], &role["requires_totp"]),
        (&json!("operator"), &json!(true))
    );
    person.get("/api/profile").await.expect(401);
    other.get("/api/profile").await.expect(200);
    let login = person.plain_login().await.expect(200).json();
    assert_eq!(login["required_action"], "enrol_totp");
    person.token = login["access_token"].as_str().unwrap().to_owned();
    assert_eq!(profile(&person).await["required_action"], "enrol_totp");
    for path in [
        "/api/profile/sessions",
        "/api/profile/audit",
        "/api/profile/logins",
        "/api/portal-roles",
    ] {
        assert_eq!(person.get(path).await.expect(403).json()["error"], "action_required");
    }
    let (secret, _) = enrol(&person).await;
    let login = person.login(PASSWORD, Some(&code(&secret, 1))).await.expect(200).json();
    assert_eq!(login["required_action"], json!(null));
    person.token = login["access_token"].as_str().unwrap().to_owned();
    person.get("/api/profile/sessions").await.expect(200);

    person
        .post("/api/profile/totp/disable", &json!({"password": PASSWORD}))
        .await
        .expect(204);
    person.get("/api/profile").await.expect(401);
    assert_eq!(
        person.plain_login().await.expect(200).json()["required_action"],
        "enrol_totp"
    );
    admin
        .put("/api/portal-roles/2", &json!({"requires_totp": false}))
        .await
        .expect(200);
    assert_eq!(
        person.plain_login().await.expect(200).json()["required_action"],
        json!(null)
    );
    let entries = rig.audited("portal_role", 2).await;
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["details"]["before"], json!({"requires_totp": false}));
}

#[tokio::test]
async fn roles_are_listed_and_only_the_known_ones_can_be_edited() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let roles = admin.get("/api/portal-roles").await.expect(200).json();
    let names: Vec<_> = roles["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["name"].clone())
        .collect();
    assert_eq!(names, ["admin", "operator", "viewer", "auditor"]);
    admin
        .put("/api/portal-roles/5", &json!({"requires_totp": true}))
        .await
        .expect(404);
    admin
        .put("/api/portal-roles/2", &json!({"requires_totp": true, "name": "root"}))
        .await
        .expect(400);
    admin
        .put("/api/portal-roles/2", &json!({"requires_totp": "yes"}))
        .await
        .expect(400);
}

#[tokio::test]
async fn another_key_than_the_one_that_encrypted_the_secrets_is_refused_at_the_start() {
    let rig = Rig::new().await;
    let auth: Auth = rig.serve().await;
    enrol(&rig.person(&auth, "jdoe", &[Role::Viewer]).await).await;
    auth.process.restart().await;
    auth.process.terminate();
    auth.process.exited().await;
    std::fs::remove_file(&auth.secrets_file).unwrap();

    auth.process.start();
    let status = auth.process.exited().await;

    assert!(!status.success());
    assert!(auth.process.log().contains("AUTH_SECRETS_KEY_FILE"));
}
