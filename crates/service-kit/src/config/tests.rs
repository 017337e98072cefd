use std::collections::HashMap;
use std::io::Write;

use garde::Validate;
use serde::Deserialize;

use super::{ConfigError, Entries, KitConfig, LogFormat};

#[derive(Debug, Deserialize, Validate)]
#[garde(allow_unvalidated)]
struct Config {
    name: String,
    #[serde(default)]
    password: Option<String>,
    #[serde(default = "three")]
    #[garde(range(min = 1, max = 10))]
    tries: u16,
    #[serde(flatten)]
    #[garde(dive)]
    store: Store,
    #[serde(flatten)]
    bus: Bus,
}

#[derive(Debug, Deserialize, Validate)]
#[garde(allow_unvalidated)]
struct Store {
    store_url: String,
    #[serde(default = "three")]
    #[garde(range(min = 1, max = 64))]
    store_pool_size: u16,
    #[serde(default)]
    store_fsync: bool,
}

#[derive(Debug, Deserialize)]
struct Bus {
    #[serde(default = "ovt")]
    bus_namespace: String,
    #[serde(default)]
    bus_ratio: f64,
}

fn three() -> u16 {
    3
}

fn ovt() -> String {
    "ovt".to_owned()
}

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let required = [("NAME", "vpn"), ("STORE_URL", "postgres://localhost")];
    let all = required
        .iter()
        .chain(variables)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Entries::from_variables(all.collect())?.read()
}

fn refusal(variables: &[(&str, &str)]) -> String {
    read(variables).expect_err("the configuration is wrong").to_string()
}

#[test]
fn defaults_stand_in_for_what_is_not_set_or_empty() {
    let config = read(&[("TRIES", ""), ("STORE_POOL_SIZE", "")]).expect("the rest has defaults");
    assert_eq!(
        (
            config.tries,
            config.store.store_pool_size,
            config.bus.bus_namespace.as_str()
        ),
        (3, 3, "ovt")
    );
}

#[test]
fn numbers_and_booleans_are_read_in_flattened_structs() {
    let config = read(&[("STORE_POOL_SIZE", "12"), ("STORE_FSYNC", "true"), ("BUS_RATIO", "0.5")]).expect("valid");
    assert_eq!((config.store.store_pool_size, config.store.store_fsync), (12, true));
    assert!((config.bus.bus_ratio - 0.5).abs() < f64::EPSILON);
}

#[test]
fn a_text_that_looks_like_a_number_stays_the_text_it_was() {
    let variables = [
        ("PASSWORD", "00012345"),
        ("BUS_NAMESPACE", "007"),
        ("NAME", "1e5"),
        ("STORE_URL", "-0.50"),
    ];
    let config = read(&variables).expect("valid");
    assert_eq!(config.password.as_deref(), Some("00012345"));
    assert_eq!(config.bus.bus_namespace, "007");
    assert_eq!(config.name, "1e5");
    assert_eq!(config.store.store_url, "-0.50");
}

#[test]
fn a_text_and_a_number_may_have_the_same_value() {
    let variables = [
        ("SHLVL", "8"),
        ("STORE_POOL_SIZE", "8"),
        ("BUS_NAMESPACE", "8"),
        ("TRIES", "8"),
        ("STORE_URL", "8"),
    ];
    let config = read(&variables).expect("valid");
    assert_eq!((config.store.store_pool_size, config.tries), (8, 8));
    assert_eq!(
        (config.bus.bus_namespace.as_str(), config.store.store_url.as_str()),
        ("8", "8")
    );
}

#[test]
fn a_missing_variable_is_named() {
    let error = Entries::from_variables(HashMap::new()).and_then(|entries| entries.read::<Config>());
    assert_eq!(
        error.expect_err("nothing is set").to_string(),
        "NAME is required but not set"
    );
}

#[test]
fn a_missing_variable_of_a_flattened_struct_is_named() {
    let only_name = HashMap::from([("NAME".to_owned(), "7".to_owned())]);
    let error = Entries::from_variables(only_name).and_then(|entries| entries.read::<Config>());
    assert_eq!(
        error.expect_err("STORE_URL is not set").to_string(),
        "STORE_URL is required but not set"
    );
}

#[test]
fn a_wrong_type_names_the_variable_and_what_it_should_be() {
    let number = "a whole number that is not negative and not too large";
    assert_eq!(
        refusal(&[("TRIES", "many")]),
        format!(r#"TRIES must be {number}, but is string "many""#)
    );
    assert_eq!(
        refusal(&[("STORE_POOL_SIZE", "many")]),
        format!(r#"STORE_POOL_SIZE must be {number}, but is string "many""#)
    );
    assert_eq!(
        refusal(&[("TRIES", "-1")]),
        format!("TRIES must be {number}, but is integer `-1`")
    );
    assert_eq!(
        refusal(&[("STORE_FSYNC", "7")]),
        "STORE_FSYNC must be true or false, but is string \"7\""
    );
}

#[test]
fn a_value_out_of_range_names_the_variable() {
    assert_eq!(refusal(&[("TRIES", "11")]), "TRIES is not valid: greater than 10");
    assert_eq!(
        refusal(&[("STORE_POOL_SIZE", "0")]),
        "STORE_POOL_SIZE is not valid: lower than 1"
    );
}

#[test]
fn the_environment_wins_over_the_file() {
    let path = std::env::temp_dir().join(format!("service-kit-config-{}.toml", std::process::id()));
    let mut file = std::fs::File::create(&path).expect("a temporary file");
    writeln!(file, "tries = 5\nstore_pool_size = 6\npassword = \"1234\"").expect("a written file");
    let config = read(&[("CONFIG_FILE", path.to_str().expect("a plain path")), ("TRIES", "9")]).expect("valid");
    std::fs::remove_file(&path).expect("a removed file");
    assert_eq!(
        (config.tries, config.store.store_pool_size, config.password.as_deref()),
        (9, 6, Some("1234"))
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    assert!(refusal(&[("CONFIG_FILE", "/nowhere/service.toml")]).starts_with("CONFIG_FILE /nowhere/service.toml: "));
}

#[test]
fn the_kit_reads_its_own_variables() {
    let variables = [
        ("HTTP_ADDR", "127.0.0.1:18481"),
        ("LOG_FORMAT", "text"),
        ("HTTP_WORKERS", "4"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let kit: KitConfig = Entries::from_variables(variables.into())
        .and_then(|e| e.read())
        .expect("valid");
    assert_eq!(kit.http_addr, Some(([127, 0, 0, 1], 18481).into()));
    assert_eq!(
        (kit.log_format, kit.http_workers, kit.shutdown_timeout_seconds),
        (LogFormat::Text, 4, 20)
    );
}

#[test]
fn the_kit_refuses_what_it_does_not_understand() {
    let refusal = |name: &str, value: &str| {
        let variables = HashMap::from([(name.to_owned(), value.to_owned())]);
        let read = Entries::from_variables(variables).and_then(|entries| entries.read::<KitConfig>());
        read.expect_err("the value is wrong").to_string()
    };
    assert_eq!(
        refusal("LOG_FORMAT", "xml"),
        r#"LOG_FORMAT must be one of json, text, but is string "xml""#
    );
    assert_eq!(
        refusal("HTTP_ADDR", "here"),
        "HTTP_ADDR is not valid: invalid socket address syntax"
    );
    assert!(refusal("LOG_LEVEL", "a=b=c").starts_with("LOG_LEVEL is not valid: "));
    assert!(
        refusal("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere").starts_with("OTEL_EXPORTER_OTLP_ENDPOINT is not valid: ")
    );
}
