use serde_json::Value;

/// JSON with sorted members and no spaces: the same value always has the same text, whatever made it.
pub fn canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            separated(text, '{', '}', members, |(name, member), text| {
                write(&Value::from(name.as_str()), text);
                text.push(':');
                write(member, text);
            });
        }
        Value::Array(elements) => separated(text, '[', ']', elements, write),
        scalar => text.push_str(&scalar.to_string()),
    }
}

fn separated<T>(
    text: &mut String,
    open: char,
    close: char,
    parts: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut String),
) {
    text.push(open);
    for (n, part) in parts.into_iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        write(part, text);
    }
    text.push(close);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_are_sorted_at_every_depth() {
        let value = json!({"b": [{"z": 1, "a": null}, "ü\n\""], "a": {}, "": []});
        assert_eq!(
            canonical_json(&value),
            r#"{"":[],"a":{},"b":[{"a":null,"z":1},"ü\n\""]}"#
        );
    }
}
