use domain::role::Role;
use futures_util::future::join_all;
use serde_json::json;

use crate::rig::{PASSWORD, Rig};

const OPERATOR: &str = "operator1";

fn operator() -> serde_json::Value {
    json!({"username": OPERATOR, "email": "operator1@example.com", "password": PASSWORD, "role_ids": [2]})
}

#[tokio::test]
async fn a_created_user_can_log_in_and_has_its_roles() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;

    let created = admin.post("/api/portal-users", &operator()).await.expect(201).json();

    assert_eq!(created["username"], OPERATOR);
    assert_eq!(created["email"], "operator1@example.com");
    assert_eq!(created["roles"], json!([{"id": 2, "name": "operator"}]));
    assert_eq!(created["is_active"], true);
    let id = created["id"].as_i64().unwrap();
    let shown = admin.get(&format!("/api/portal-users/{id}")).await.expect(200).json();
    assert_eq!(shown, created);
    let me = auth.me(&auth.token(OPERATOR).await).await.expect(200).json();
    assert_eq!(me["roles"], json!([{"id": 2, "name": "operator"}]));
    let entries = rig.audited("portal_user", id).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (&entries[0]["actor_name"], &entries[0]["action"]),
        (&json!("boss"), &json!("create"))
    );
    assert_eq!(entries[0]["details"]["after"]["roles"], json!(["operator"]));
}

#[tokio::test]
async fn what_breaks_a_rule_is_named_field_by_field() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let wrong = json!({"username": "no spaces", "email": "nowhere", "password": "weak", "role_ids": []});
    let answer = admin.post("/api/portal-users", &wrong).await.expect(422).json();
    assert_eq!(answer["error"], "invalid_fields");
    for field in ["username", "email", "password", "role_ids"] {
        assert!(!answer["fields"][field].as_array().unwrap().is_empty(), "{field}");
    }
    for password in [
        "P@ssw0rd",
        "Password1!",
        "Sh0rt-1",
        "lower-case-0nly",
        "No-digit-here",
        "N0thingspecial",
    ] {
        let mut weak = operator();
        weak["password"] = password.into();
        let answer = admin.post("/api/portal-users", &weak).await.expect(422).json();
        assert_eq!(answer["fields"].as_object().unwrap().len(), 1, "{password}: {answer}");
    }
    let mut unknown = operator();
    unknown["role_ids"] = json!([2, 5]);
    admin.post("/api/portal-users", &unknown).await.expect(422);
    assert_eq!(rig.database.count("SELECT count(*) FROM portal_user").await, 1);
}

#[tokio::test]
async fn fields_that_nobody_asked_for_are_refused() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let viewer = rig.person(&auth, "viewer", &[Role::Viewer]).await;
    for (field, value) in [
        ("id", json!(1)),
        ("token_version", json!(9)),
        ("password_hash", json!("x")),
        ("roles", json!([{"id": 1}])),
        ("created_at", json!("2020-01-01T00:00:00Z")),
    ] {
        let mut body = operator();
        body[field] = value.clone();
        admin.post("/api/portal-users", &body).await.expect(400);
        let path = format!("/api/portal-users/{}", viewer.id);
        admin.put(&path, &json!({field: value})).await.expect(400);
    }
    for own in [
        json!({"email": "a@b.co", "role_ids": [1]}),
        json!({"email": "a@b.co", "is_active": true}),
        json!({"email": null}),
    ] {
        viewer.put("/api/profile", &own).await.expect(400);
    }
    let path = format!("/api/portal-users/{}", viewer.id);
    for null in ["email", "role_ids", "is_active", "version"] {
        admin.put(&path, &json!({null: null})).await.expect(400);
    }
}

#[tokio::test]
async fn a_name_is_used_once_whatever_its_case_and_also_after_deletion() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let created = admin.post("/api/portal-users", &operator()).await.expect(201).json();
    let mut again = operator();
    again["username"] = "OPERATOR1".into();
    assert_eq!(
        admin.post("/api/portal-users", &again).await.expect(409).json()["error"],
        "username_taken"
    );

    let path = format!("/api/portal-users/{}", created["id"]);
    admin.delete(&path).await.expect(204);

    admin.get(&path).await.expect(404);
    admin.delete(&path).await.expect(404);
    admin.put(&path, &json!({"is_active": true})).await.expect(404);
    admin
        .post(&format!("{path}/reset-password"), &json!({}))
        .await
        .expect(404);
    admin.post(&format!("{path}/unlock"), &json!({})).await.expect(404);
    admin.post(&format!("{path}/logout-all"), &json!({})).await.expect(404);
    assert_eq!(
        admin.post("/api/portal-users", &operator()).await.expect(409).json()["error"],
        "username_taken"
    );
    auth.login(OPERATOR, PASSWORD).await.expect(401);
    let kept = rig
        .database
        .sql("SELECT username, is_active FROM portal_user WHERE deleted_at IS NOT NULL")
        .await;
    assert_eq!(kept, "operator1|f");
    let entries = rig.audited("portal_user", &created["id"]).await;
    // Behind it stands the login that failed.
    let deletion = entries.iter().find(|entry| entry["action"] == "delete").unwrap();
    assert_eq!(deletion["details"]["before"]["roles"], json!(["operator"]));
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_tells_before_and_after() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let viewer = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let path = format!("/api/portal-users/{}", viewer.id);

    let edited = admin
        .put(&path, &json!({"role_ids": [3, 4, 4], "version": 1}))
        .await
        .expect(200)
        .json();

    assert_eq!(
        edited["roles"],
        json!([{"id": 3, "name": "viewer"}, {"id": 4, "name": "auditor"}])
    );
    assert_eq!(edited["version"], 2);
    viewer.get("/api/profile").await.expect(401);
    let stale = admin
        .put(&path, &json!({"email": "new@example.com", "version": 1}))
        .await
        .expect(409)
        .json();
    assert_eq!(stale["error"], "version_conflict");
    let same = admin
        .put(&path, &json!({"role_ids": [4, 3], "is_active": true}))
        .await
        .expect(200)
        .json();
    assert_eq!(same["version"], 2, "nothing has changed");
    admin.put(&path, &json!({"email": "new@example.com"})).await.expect(200);
    let entries = rig.audited("portal_user", viewer.id).await;
    let details: Vec<_> = entries.iter().skip(1).map(|entry| entry["details"].clone()).collect();
    assert_eq!(
        details,
        [
            json!({"before": {"roles": ["viewer"]}, "after": {"roles": ["viewer", "auditor"]}}),
            json!({"before": {"email": null}, "after": {"email": "new@example.com"}}),
        ]
    );
    let me = auth.me(&auth.token("jdoe").await).await.expect(200).json();
    assert_eq!(me["roles"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deactivated_user_is_out_at_once_and_can_come_back() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let mut viewer = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let path = format!("/api/portal-users/{}", viewer.id);

    let edited = admin.put(&path, &json!({"is_active": false})).await.expect(200).json();

    assert_eq!(edited["is_active"], false);
    viewer.get("/api/profile").await.expect(401);
    viewer.plain_login().await.expect(401);
    let ended = "SELECT count(*) FROM portal_session WHERE end_reason = 'deactivated'";
    assert_eq!(rig.database.count(ended).await, 1);
    admin.put(&path, &json!({"is_active": true})).await.expect(200);
    viewer.log_in_again().await;
    viewer.get("/api/profile").await.expect(200);
}

#[tokio::test]
async fn nobody_deletes_deactivates_demotes_or_resets_himself() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    rig.portal_user("other", &[Role::Admin]).await;
    let own = format!("/api/portal-users/{}", admin.id);
    let refused = [
        admin.delete(&own).await,
        admin.put(&own, &json!({"is_active": false})).await,
        admin.put(&own, &json!({"role_ids": [3]})).await,
        admin.post(&format!("{own}/reset-password"), &json!({})).await,
    ];
    for answer in refused {
        assert_eq!(answer.expect(409).json()["error"], "own_account");
    }
    admin
        .put(&own, &json!({"role_ids": [1, 4], "email": "boss@example.com"}))
        .await
        .expect(200);
}

#[tokio::test]
async fn of_two_admins_who_remove_each_other_at_once_one_is_left() {
    let ways = [json!({"role_ids": [3]}), json!({"is_active": false}), json!(null)];
    for way in ways {
        let rig = Rig::new().await;
        let auth = rig.serve().await;
        let (first, second) = (rig.admin(&auth).await, rig.person(&auth, "other", &[Role::Admin]).await);
        let remove = async |by: &crate::person::Person<'_>, id: i64| {
            let path = format!("/api/portal-users/{id}");
            match way.is_null() {
                true => by.delete(&path).await,
                false => by.put(&path, &way).await,
            }
        };
        let answers = futures_util::join!(remove(&first, second.id), remove(&second, first.id));
        let left = "SELECT count(*) FROM portal_user u JOIN portal_user_role r ON r.portal_user_id = u.id \
            WHERE u.is_active AND r.portal_role_id = 1";
        assert_eq!(rig.database.count(left).await, 1, "{answers:?}");
    }
}

/// Without the guard, which refuses one of two at once more often than not.
#[tokio::test]
async fn of_many_admins_who_are_removed_at_once_one_is_left() {
    let rig = Rig::new().await;
    let db = rig.db().await;
    let names: Vec<String> = (0..8).map(|number| format!("admin{number}")).collect();
    let ids = join_all(names.iter().map(|name| rig.portal_user(name, &[Role::Admin]))).await;

    let outcomes = join_all(ids.iter().map(|id| {
        let actor = db::audit::Actor::named("test");
        db::portal_users::delete(&db, *id, test_support::now(), actor)
    }))
    .await;

    let refused = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, Ok(db::portal_users::Deleted::LastAdmin)));
    assert_eq!(refused.count(), 1);
    assert_eq!(
        rig.database
            .count("SELECT count(*) FROM portal_user WHERE is_active")
            .await,
        1
    );
}

#[tokio::test]
async fn lists_are_filtered_searched_sorted_and_paged() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    for (name, role) in [("anna", 2), ("Bert", 3), ("cara", 3), ("dora_x", 4)] {
        let body = json!({"username": name, "email": format!("{name}@mail.example.com"), "password": PASSWORD, "role_ids": [role]});
        admin.post("/api/portal-users", &body).await.expect(201);
    }
    let bert = rig
        .database
        .count("SELECT id FROM portal_user WHERE username = 'Bert'")
        .await;
    admin
        .put(&format!("/api/portal-users/{bert}"), &json!({"is_active": false}))
        .await
        .expect(200);

    let names = async |query: &str| {
        let list = admin.get(&format!("/api/portal-users{query}")).await.expect(200).json();
        let users = list["users"].as_array().unwrap().iter();
        let names: Vec<String> = users
            .map(|user| user["username"].as_str().unwrap().to_owned())
            .collect();
        (
            names.join(" "),
            list["total"].as_u64().unwrap(),
            list["pages"].as_u64().unwrap(),
        )
    };
    assert_eq!(names("").await, ("anna Bert boss cara dora_x".to_owned(), 5, 1));
    assert_eq!(names("?role=viewer").await.0, "Bert cara");
    assert_eq!(names("?status=inactive").await.0, "Bert");
    assert_eq!(names("?role=viewer&status=active").await.0, "cara");
    assert_eq!(names("?search=ERT").await.0, "Bert");
    assert_eq!(names("?search=cara%40mail").await.0, "cara");
    assert_eq!(names("?search=a_x").await.0, "dora_x");
    assert_eq!(names("?search=%25").await.0, "");
    assert_eq!(
        names("?sort=-username&per_page=2").await,
        ("dora_x cara".to_owned(), 5, 3)
    );
    assert_eq!(names("?sort=-username&per_page=2&page=3").await.0, "anna");
    assert_eq!(
        names("?sort=-last_portal_login_at").await.0.split(' ').next(),
        Some("boss")
    );
    assert_eq!(names("?page=9").await, (String::new(), 5, 1));
    for wrong in [
        "?role=root",
        "?status=gone",
        "?sort=password_hash",
        "?per_page=501",
        "?page=0",
        "?search=",
        "?search=%00",
        "?stauts=active",
        "?page=1&page=2",
    ] {
        admin.get(&format!("/api/portal-users{wrong}")).await.expect(400);
    }
}

#[tokio::test]
async fn only_admins_see_and_change_portal_users_and_roles() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let own = format!("/api/portal-users/{}", admin.id);
    for role in [Role::Operator, Role::Viewer, Role::Auditor] {
        let person = rig.person(&auth, role.as_str(), &[role]).await;
        let refused = [
            person.get("/api/portal-users").await,
            person.get(&own).await,
            person.post("/api/portal-users", &operator()).await,
            person.put(&own, &json!({"is_active": false})).await,
            person.delete(&own).await,
            person.post(&format!("{own}/reset-password"), &json!({})).await,
            person.post(&format!("{own}/unlock"), &json!({})).await,
            person.post(&format!("{own}/logout-all"), &json!({})).await,
            person.get("/api/portal-roles").await,
            person.put("/api/portal-roles/1", &json!({"requires_totp": true})).await,
            person.get("/api/servers/1/keys").await,
            person.post("/api/servers/1/keys", &json!({})).await,
            person.delete("/api/servers/1/keys/abcdefghijkl").await,
        ];
        for answer in refused {
            assert_eq!(answer.expect(403).json()["error"], "forbidden");
        }
    }
}

#[tokio::test]
async fn a_reset_password_is_generated_and_must_be_changed() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let mut viewer = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let path = format!("/api/portal-users/{}/reset-password", viewer.id);

    let answer = admin.post(&path, &json!({})).await.expect(200).json();

    let temporary = answer["temporary_password"].as_str().unwrap();
    viewer.get("/api/profile").await.expect(401);
    viewer.plain_login().await.expect(401);
    let login = viewer.login(temporary, None).await.expect(200).json();
    assert_eq!(login["required_action"], "change_password");
    viewer.token = login["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        viewer.get("/api/profile").await.expect(200).json()["required_action"],
        "change_password"
    );
    let refused = viewer.get("/api/profile/sessions").await.expect(403).json();
    assert_eq!(refused["error"], "action_required");
    let change = json!({"current_password": temporary, "new_password": "Another-g00d-one"});
    let changed = viewer
        .post("/api/profile/change-password", &change)
        .await
        .expect(200)
        .json();
    viewer.token = changed["access_token"].as_str().unwrap().to_owned();
    viewer.get("/api/profile/sessions").await.expect(200);
    let entries = rig.audited("portal_user", viewer.id).await;
    let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["create", "reset_password", "login_failed", "change_password"],
        "{entries:?}"
    );
    assert!(!format!("{entries:?}").contains(temporary));
}

#[tokio::test]
async fn a_given_password_is_not_answered_and_has_to_keep_the_rules() {
    let rig = Rig::new().await;
    let auth = rig.serve().await;
    let admin = rig.admin(&auth).await;
    let viewer = rig.person(&auth, "jdoe", &[Role::Viewer]).await;
    let path = format!("/api/portal-users/{}/reset-password", viewer.id);
    let weak = admin
        .post(&path, &json!({"new_password": "weak"}))
        .await
        .expect(422)
        .json();
    assert!(weak["fields"]["new_password"].is_array());
    admin.post(&path, &json!({"new_password": null})).await.expect(400);
    viewer.get("/api/profile").await.expect(200);
    let answer = admin
        .post(&path, &json!({"new_password": "NewSecurePass123!"}))
        .await
        .expect(200)
        .json();
    assert_eq!(answer, json!({"temporary_password": null}));
    viewer.login("NewSecurePass123!", None).await.expect(200);
}
