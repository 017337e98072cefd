//! JSON bodies, taken strictly.

use std::ops::Deref;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, Responder};
use futures_util::future::LocalBoxFuture;
use serde::de::value::Error as ProbeError;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::{Serialize, forward_to_deserialize_any};

use crate::problem::Problem;

/// A JSON body, taken like actix' own and refused more helpfully: `invalid_body` names the field. As an extractor it answers
/// 415 unless the body is declared as JSON, 413 when it is larger than `MAX_JSON_BYTES`, 400 `invalid_json` when it is
/// no JSON and 400 `invalid_body` with the member `field` when it is other JSON than expected, or contains a NUL, which no
/// text of ours can hold. As an answer it is 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

impl<T> Json<T> {
    /// What the body says.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize> Responder for Json<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let declared = is_json(request);
        let body = Bytes::from_request(request, payload);
        Box::pin(async move {
            if !declared {
                return Err(Problem::unsupported("The content type must be application/json."));
            }
            let body = body.await.map_err(|error| Problem::of_error(&error))?;
            read(&body).map(Self)
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let Ok(Some(kind)) = request.mime_type() else {
        return false;
    };
    kind.subtype() == "json" || kind.suffix().is_some_and(|suffix| suffix == "json")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.trim_ascii_start().starts_with(b"[") && wants_object::<T>() {
        return Err(invalid_body("The body must be an object.".to_owned()));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| refused(&error))?;
    deserializer.end().map_err(|error| invalid_json(&error))?;
    if contains_nul(body) {
        return Err(invalid_body("The body contains a NUL character.".to_owned()));
    }
    Ok(value)
}

fn refused(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let (path, cause) = (error.path().to_string(), error.inner());
    if !cause.is_data() {
        return invalid_json(cause);
    }
    let message = cause.to_string();
    // The path of an unknown or missing field ends with the object that has or lacks it.
    let name = ["unknown field `", "missing field `", "duplicate field `"]
        .into_iter()
        .find_map(|start| Some(message.strip_prefix(start)?.split_once('`')?.0));
    let field = match (path.as_str(), name) {
        (".", None) => return invalid_body(message),
        (".", Some(name)) => name.to_owned(),
        (_, None) => path,
        (_, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => path,
        (_, Some(name)) => format!("{path}.{name}"),
    };
    invalid_body(format!("{field}: {message}")).with("field", field)
}

fn invalid_body(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail)
}

fn invalid_json(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_json", error.to_string())
}

/// Whether `T` is a struct: serde would also take it from a list of its fields' values, which no document of ours describes.
fn wants_object<T: DeserializeOwned>() -> bool {
    T::deserialize(Probe).is_err_and(|error| error == ProbeError::custom(OBJECT))
}

const OBJECT: &str = "an object";

/// Tells what a type asks for, and gives nothing.
struct Probe;

impl<'de> Deserializer<'de> for Probe {
    type Error = ProbeError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ProbeError> {
        Err(ProbeError::custom("something else"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ProbeError> {
        Err(ProbeError::custom(OBJECT))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Whether a string of a JSON text has a NUL in it. There it can only be escaped, and its backslash is not escaped itself.
fn contains_nul(json: &[u8]) -> bool {
    let mut rest = json.iter();
    while let Some(byte) = rest.next() {
        if *byte != b'\\' {
            continue;
        }
        if rest.next() == Some(&b'u') && rest.as_slice().starts_with(b"0000") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Person {
        name: String,
        #[serde(default)]
        roles: Vec<Role>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Role {
        id: i32,
    }

    fn problem(json: &str) -> (&'static str, String) {
        let problem = read::<Person>(json.as_bytes()).expect_err("it is refused");
        let field = problem.member("field").and_then(Value::as_str).unwrap_or_default();
        (problem.error(), field.to_owned())
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        let cases = [
            (r#"{"name":1}"#, "name"),
            (r#"{"name":"a","roles":[{"id":1},{"id":"x"}]}"#, "roles[1].id"),
            (r#"{"name":"a","admin":true}"#, "admin"),
            (r#"{"name":"a","roles":[{"id":1,"level":9}]}"#, "roles[0].level"),
            (r#"{"roles":[]}"#, "name"),
            (r#"{"name":"a","roles":[{}]}"#, "roles[0].id"),
            (r#"{"name":"a","name":"b"}"#, "name"),
            (r#"{"name":null}"#, "name"),
            ("[]", ""),
            (r#" ["a", []]"#, ""),
        ];
        for (json, field) in cases {
            assert_eq!(problem(json), ("invalid_body", field.to_owned()), "{json}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_apart() {
        for json in ["", "{", r#"{"name":"a"} x"#, r#"{"name":"\ud800"}"#, "{'name':1}"] {
            assert_eq!(problem(json).0, "invalid_json", "{json}");
        }
    }

    #[test]
    fn a_nul_is_found_behind_its_escape_only() {
        assert_eq!(problem(r#"{"name":"a\u0000"}"#).0, "invalid_body");
        assert!(read::<Person>(br#"{"name":"a\\u0000"}"#).is_ok());
        assert!(read::<Person>(br#"{"name":"\\\"\u0001"}"#).is_ok());
        assert!(read::<Person>(br#"{"name":"\\\u0000"}"#).is_err());
    }
}
