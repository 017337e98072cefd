//! The routes that the services serve, and those that they should.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use test_support::{Reply, Stack};

/// Written by hand from the table of roles in docs/security.md, not from the services' code.
const EXPECTED: &str = include_str!("expected.txt");

/// Who may call a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Access {
    Public,
    Agent,
    /// Whoever is logged in, also without any role.
    PortalUser,
    Roles(BTreeSet<&'static str>),
}

/// A route of a running service.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    pub(crate) method: String,
    /// As in the OpenAPI document: `/api/sessions/{id}`.
    pub(crate) path: String,
    /// With the service's address, and with a parameter in each place that wants one; nothing has it.
    pub(crate) url: String,
}

impl Route {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A call that a caller who may make it feels: it ends sessions of that very caller.
    pub(crate) fn ends_sessions(&self) -> bool {
        self.method != "GET" && (self.path.contains("logout") || self.path.contains("/profile/sessions"))
    }
}

pub(crate) fn expected() -> BTreeMap<String, Access> {
    let lines = EXPECTED
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let access = match words[2..] {
                ["public"] => Access::Public,
                ["agent"] => Access::Agent,
                ["portal-user"] => Access::PortalUser,
                _ => Access::Roles(words[2..].iter().copied().collect()),
            };
            (format!("{} {}", words[0], words[1]), access)
        })
        .collect()
}

/// All routes of all services, as their own OpenAPI documents list them.
pub(crate) async fn served(stack: &Stack) -> Vec<Route> {
    let services = [
        ("auth", stack.auth().url()),
        ("query-api", stack.query_api().url()),
        ("ingest", stack.ingest(0).url()),
        ("realtime-gateway", stack.realtime(0).url()),
    ];
    let client = test_support::http_client();
    let mut routes = Vec::new();
    for (service, base) in services {
        let document = client.get(format!("{base}/api-docs/{service}/openapi.json"));
        let document = Reply::to(document).await.expect(200).json();
        for (path, item) in document["paths"].as_object().expect("paths") {
            let methods = item.as_object().expect("operations").keys();
            routes.extend(methods.filter(|key| is_method(key)).map(|method| Route {
                method: method.to_uppercase(),
                path: path.clone(),
                url: format!("{base}{}", fill(path, &item[method])),
            }));
        }
    }
    routes
}

fn is_method(key: &str) -> bool {
    ["get", "put", "post", "delete", "patch", "head", "options", "trace"].contains(&key)
}

/// Every parameter of the path as its schema wants it: nil for a UUID, 0 for a number, `nothing` for other text.
fn fill(path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let mut filled = path.to_owned();
    for parameter in parameters.iter().filter(|parameter| parameter["in"] == "path") {
        let schema = &parameter["schema"];
        let value = match (schema["format"].as_str(), schema["type"].as_str()) {
            (Some("uuid"), _) => "00000000-0000-0000-0000-000000000000",
            (_, Some("integer")) => "0",
            _ => "nothing",
        };
        let name = parameter["name"].as_str().expect("a name");
        filled = filled.replace(&format!("{{{name}}}"), value);
    }
    assert!(!filled.contains('{'), "a parameter of {path} is not documented");
    filled
}
