use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Read by the kit before any struct is filled, and by `migrations`.
const READ_ELSEWHERE: [&str; 7] = [
    "CONFIG_FILE",
    "DB_PASSWORD_INGEST",
    "DB_PASSWORD_SESSION_PROCESSOR",
    "DB_PASSWORD_QUERY_API",
    "DB_PASSWORD_AUTH",
    "DB_PASSWORD_REALTIME_GATEWAY",
    "DB_PASSWORD_REPORTER",
];

#[test]
fn env_example_lists_every_variable_that_a_service_reads_and_no_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut read: BTreeSet<String> = READ_ELSEWHERE.map(str::to_owned).into();
    for file in configuration_sources(&root.join("crates")) {
        read.extend(deserialized_fields(&fs::read_to_string(file).expect("a source file")));
    }
    let documented = documented_variables(&fs::read_to_string(root.join(".env.example")).expect(".env.example"));
    let missing: Vec<_> = read.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&read).collect();
    assert!(missing.is_empty(), "not documented in .env.example: {missing:?}");
    assert!(
        stale.is_empty(),
        "documented in .env.example, but read by nobody: {stale:?}"
    );
}

/// Of services: the agent beside OpenVPN has a file of its own. Settings live in `config.rs`, in a module `config/`, or with the database's connection.
fn configuration_sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(configuration_sources(&path));
        } else if is_configuration(&path) {
            found.push(path);
        }
    }
    found
}

fn is_configuration(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let source =
        text.contains("/src/") && text.ends_with(".rs") && !text.contains("/tests") && !text.contains("/agent/");
    source && (text.ends_with("config.rs") || text.contains("/config/") || text.ends_with("db/src/connection.rs"))
}

/// The fields of structs that derive `Deserialize`, as variables; an embedded struct brings its own.
fn deserialized_fields(source: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let (mut derived, mut inside, mut embedded) = (false, false, false);
    let before_tests = source.split("#[cfg(test)]").next().unwrap_or(source);
    for line in before_tests.lines() {
        let line = line.trim();
        if line.starts_with("#[derive(") {
            derived = line.contains("Deserialize");
        } else if line.contains("struct ") && line.ends_with('{') {
            inside = derived;
        } else if line == "}" {
            inside = false;
        } else if inside && line.starts_with("#[serde(flatten") {
            embedded = true;
        } else if let Some(field) = inside.then(|| field_of(line)).flatten() {
            fields.extend((!std::mem::take(&mut embedded)).then(|| field.to_uppercase()));
        }
    }
    fields
}

fn field_of(line: &str) -> Option<&str> {
    let line = line
        .strip_prefix("pub(crate) ")
        .or(line.strip_prefix("pub "))
        .unwrap_or(line);
    let (name, _) = line.split_once(": ")?;
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        .then_some(name)
}

fn documented_variables(text: &str) -> BTreeSet<String> {
    let assignments = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='));
    let is_variable =
        |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    assignments
        .map(|(name, _)| name)
        .filter(is_variable)
        .map(str::to_owned)
        .collect()
}
