//! Who may call what.

use access_token::Access;
use domain::role::Role;
use query_api::routes::ROUTES;

use crate::rig::Rig;

#[tokio::test]
async fn every_route_answers_exactly_the_roles_that_it_lists() {
    let rig = Rig::start().await;
    for route in ROUTES {
        let Access::Roles(allowed) = route.access else {
            panic!("{} is open", route.path)
        };
        // No such object: whoever may ask is told so.
        let path = route.path.replace("{id}", "0");
        for role in Role::ALL {
            let status = rig.send_as(&[role], route.method, &path, None).await.status.as_u16();
            assert_eq!(
                status == 403,
                !allowed.contains(&role),
                "{role} on {} {path} got {status}",
                route.method
            );
            assert_ne!(status, 401, "{role} on {path}");
        }
        assert_eq!(
            rig.send_anonymously(route.method, &path).await.status.as_u16(),
            401,
            "{path}"
        );
        assert_eq!(
            rig.send_as(&[], route.method, &path, None).await.status.as_u16(),
            403,
            "{path} without a role"
        );
    }
}

#[tokio::test]
async fn a_path_that_is_not_listed_does_not_exist() {
    let rig = Rig::start().await;
    assert_eq!(rig.problem(404, "/api/nothing").await["error"], "not_found");
}

#[tokio::test]
async fn a_parameter_that_nobody_documented_is_refused_everywhere() {
    let rig = Rig::start().await;
    for route in ROUTES {
        let has_uuids = ["/api/sessions", "/api/denials"];
        let id = match has_uuids.iter().any(|prefix| route.path.starts_with(prefix)) {
            true => "00000000-0000-0000-0000-000000000001",
            false => "1",
        };
        let path = route.path.replace("{id}", id);
        let query = format!("{path}?serch=x");
        let reply = rig.send_as(&[Role::Admin], route.method, &query, None).await;
        let problem = reply.expect(400).json();
        assert_eq!(
            (&problem["error"], &problem["parameter"]),
            (&"unknown_parameter".into(), &"serch".into()),
            "{path}"
        );
    }
}
