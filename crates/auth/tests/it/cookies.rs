use domain::role::Role;
use serde_json::{Value, json};
use test_support::Reply;

use crate::rig::{Auth, PASSWORD, Rig};

async fn log_in(auth: &Auth, remember_me: bool) -> Reply {
    let body = json!({"username": "jdoe", "password": PASSWORD, "cookie": true, "remember_me": remember_me});
    auth.login_with(&body).await.expect(200)
}

/// Value and attributes of the cookie that was set.
fn cookie(answer: &Reply) -> (String, String) {
    let header = answer.header("set-cookie").expect("a cookie");
    let (value, attributes) = header.split_once("; ").unwrap();
    (
        value.strip_prefix("__Host-refresh=").unwrap().to_owned(),
        attributes.to_owned(),
    )
}

#[tokio::test]
async fn the_cookie_carries_the_refresh_token_instead_of_the_body() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;

    let answer = log_in(&auth, false).await;
    assert_eq!(answer.json()["refresh_token"], Value::Null);
    let (first, attributes) = cookie(&answer);
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Secure; Path=/");

    let own = auth.process.url();
    let answer = Reply::to(auth.page_request("/api/auth/refresh", Some(&own), &first))
        .await
        .expect(200);
    let (second, attributes) = cookie(&answer);
    assert_eq!(attributes, "HttpOnly; SameSite=Strict; Secure; Path=/");
    assert_ne!(first, second);
    assert_eq!(answer.json()["refresh_token"], Value::Null);
    auth.me(answer.json()["access_token"].as_str().unwrap())
        .await
        .expect(200);

    let gone = Reply::to(auth.page_request("/api/auth/logout", Some(&own), &second))
        .await
        .expect(204);
    assert!(cookie(&gone).1.ends_with("Max-Age=0"));
    let refused = Reply::to(auth.page_request("/api/auth/refresh", Some(&own), &second))
        .await
        .expect(401);
    assert!(cookie(&refused).1.ends_with("Max-Age=0"), "the browser forgets it");
}

#[tokio::test]
async fn remembering_decides_whether_the_cookie_outlives_the_browser() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;

    let (token, attributes) = cookie(&log_in(&auth, true).await);
    assert!(attributes.ends_with("Max-Age=2592000"), "{attributes}");
    let own = auth.process.url();
    let refreshed = Reply::to(auth.page_request("/api/auth/refresh", Some(&own), &token))
        .await
        .expect(200);
    let (_, attributes) = cookie(&refreshed);
    let age: u32 = attributes.rsplit_once("Max-Age=").unwrap().1.parse().unwrap();
    assert!(
        (2_591_900..=2_592_000).contains(&age),
        "the session's end does not move: {age}"
    );
}

#[tokio::test]
async fn no_other_sites_page_can_use_the_cookie() {
    let mut rig = Rig::new().await;
    rig.set("PORTAL_ORIGINS", "https://vpn.example.com");
    rig.portal_user("jdoe", &[Role::Viewer]).await;
    let auth = rig.serve().await;
    let (token, _) = cookie(&log_in(&auth, false).await);

    for origin in [Some("https://evil.example.com"), Some("null"), None] {
        for path in ["/api/auth/refresh", "/api/auth/logout"] {
            let refused = Reply::to(auth.page_request(path, origin, &token))
                .await
                .expect(403)
                .json();
            assert_eq!(refused["error"], "origin_not_allowed", "{path} from {origin:?}");
        }
    }
    // What a form of another site can send is not even read.
    let form = auth
        .post("/api/auth/refresh")
        .header("cookie", format!("__Host-refresh={token}"));
    Reply::to(form.header("content-type", "text/plain").body("{}"))
        .await
        .expect(415);
    let login = auth
        .post("/api/auth/login")
        .header("origin", "https://evil.example.com");
    let body = json!({"username": "jdoe", "password": PASSWORD, "cookie": true});
    Reply::to(login.json(&body)).await.expect(403);

    let listed = auth.page_request("/api/auth/refresh", Some("https://vpn.example.com"), &token);
    Reply::to(listed).await.expect(200);
}

#[tokio::test]
async fn the_cookie_opens_nothing_but_refresh_and_logout() {
    let rig = Rig::new().await;
    rig.portal_user("jdoe", &[Role::Admin]).await;
    let auth = rig.serve().await;
    let (token, _) = cookie(&log_in(&auth, false).await);
    let own = auth.process.url();
    Reply::to(auth.page_request("/api/auth/logout-all", Some(&own), &token))
        .await
        .expect(401);
    let read = auth
        .get("/api/auth/me")
        .header("cookie", format!("__Host-refresh={token}"));
    Reply::to(read.header("origin", &own)).await.expect(401);
}
