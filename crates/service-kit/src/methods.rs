//! Which methods a path takes, for the `Allow` header of a 405.

use std::collections::HashMap;

use actix_web::http::header::HeaderValue;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::PathItem;

/// The methods of each documented path. All others are the kit's own, which are read only.
pub(crate) struct Methods(HashMap<String, HeaderValue>);

impl Methods {
    pub(crate) fn documented(openapi: Option<&OpenApi>) -> Self {
        let paths = openapi.into_iter().flat_map(|openapi| &openapi.paths.paths);
        Self(paths.map(|(path, item)| (path.clone(), of_item(item))).collect())
    }

    pub(crate) fn of(&self, pattern: &str) -> HeaderValue {
        let known = self.0.get(pattern).cloned();
        known.unwrap_or_else(|| HeaderValue::from_static("GET"))
    }
}

fn of_item(item: &PathItem) -> HeaderValue {
    let operations = [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("DELETE", &item.delete),
        ("PATCH", &item.patch),
    ];
    let present = operations.into_iter().filter(|(_, operation)| operation.is_some());
    let methods: Vec<&str> = present.map(|(method, _)| method).collect();
    HeaderValue::from_str(&methods.join(", ")).expect("names of methods")
}
