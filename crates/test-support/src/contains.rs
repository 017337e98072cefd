use serde_json::Value;

/// Whether a JSON value has everything that `expected` names: of an object the named fields, of a list all elements in
/// their order, of anything else the value itself.
pub fn contains(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => expected
            .iter()
            .all(|(name, value)| actual.get(name).is_some_and(|actual| contains(actual, value))),
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len() && actual.iter().zip(expected).all(|(one, other)| contains(one, other))
        }
        _ => actual == expected,
    }
}
