//! Roles in the OpenAPI document.

use access_token::{Access, Route, RouteMismatch, secure};
use domain::role::ADMIN_ONLY;
use serde_json::json;
use utoipa::OpenApi;

const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/open",
        access: Access::Public,
    },
    Route {
        method: "POST",
        path: "/api/v1/events",
        access: Access::Agent,
    },
    Route {
        method: "DELETE",
        path: r"/api/servers/{id:\d+}",
        access: Access::Roles(ADMIN_ONLY),
    },
];

#[derive(OpenApi)]
#[openapi(paths(open, events, delete_server))]
struct Document;

#[utoipa::path(get, path = "/api/open", responses((status = 200)))]
#[expect(dead_code, reason = "only its documentation is used")]
fn open() {}

#[utoipa::path(post, path = "/api/v1/events", responses((status = 200)))]
#[expect(dead_code, reason = "only its documentation is used")]
fn events() {}

#[utoipa::path(delete, path = "/api/servers/{id}", params(("id" = i32, Path)), responses((status = 204)))]
#[expect(dead_code, reason = "only its documentation is used")]
fn delete_server() {}

#[test]
fn each_operation_tells_who_may_call_it() {
    let document = serde_json::to_value(secure(Document::openapi(), ROUTES).expect("they agree")).expect("JSON");
    let paths = &document["paths"];
    assert_eq!(paths["/api/open"]["get"]["security"], json!([]));
    assert_eq!(paths["/api/v1/events"]["post"]["security"], json!([{"agentKey": []}]));
    let delete = &paths["/api/servers/{id}"]["delete"];
    assert_eq!(delete["security"], json!([{"bearerAuth": ["admin"]}]));
    let problem = json!({"schema": {"$ref": "#/components/schemas/Problem"}});
    for status in ["401", "403"] {
        assert_eq!(
            delete["responses"][status]["content"]["application/problem+json"],
            problem
        );
    }
    assert!(document["components"]["schemas"]["Problem"]["properties"]["request_id"].is_object());
    assert_eq!(
        document["components"]["securitySchemes"]["bearerAuth"]["scheme"],
        "bearer"
    );
}

#[test]
fn a_route_and_an_operation_that_do_not_know_each_other_are_named() {
    let listed: &[Route] = &[
        ROUTES[0],
        ROUTES[1],
        Route {
            method: "PUT",
            ..ROUTES[2]
        },
    ];
    let mismatch = secure(Document::openapi(), listed).err().expect("they differ");
    let expected = RouteMismatch {
        undocumented: vec!["PUT /api/servers/{id}".to_owned()],
        unlisted: vec!["DELETE /api/servers/{id}".to_owned()],
    };
    assert_eq!(mismatch, expected);
}
