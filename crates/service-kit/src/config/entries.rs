//! The keys and values a configuration is read from.

use std::collections::{BTreeMap, HashMap};

use config::{Environment, File, FileFormat, Source, Value, ValueKind};

use super::ConfigError;
use super::scalar::Scalar;

/// Every known key in lower case with its value.
#[derive(Debug, Default)]
pub(crate) struct Entries(pub(super) BTreeMap<String, Scalar>);

impl Entries {
    /// The process's environment over the file that `CONFIG_FILE` names.
    pub(crate) fn from_process() -> Result<Self, ConfigError> {
        let readable =
            std::env::vars_os().filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        Self::from_variables(readable.collect())
    }

    /// As [`Entries::from_process`], from the given variables instead of the process's.
    pub(crate) fn from_variables(variables: HashMap<String, String>) -> Result<Self, ConfigError> {
        let file = variables.get("CONFIG_FILE").filter(|path| !path.is_empty()).cloned();
        let environment = Environment::default()
            .ignore_empty(true)
            .source(Some(plain_names(variables)));
        let mut builder = config::Config::builder();
        if let Some(path) = &file {
            builder = builder.add_source(File::new(path, FileFormat::Toml));
        }
        let path = file.unwrap_or_default();
        let merged = builder
            .add_source(environment)
            .build()
            .map_err(|error| file_error(&path, &error))?;
        let values = merged.collect().map_err(|error| file_error(&path, &error))?;
        values
            .into_iter()
            .map(|(key, value)| entry(&path, &key, value))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Shells export functions and the like under names that no variable of ours can have.
fn plain_names(mut variables: HashMap<String, String>) -> HashMap<String, String> {
    variables.retain(|name, _| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    variables
}

fn entry(path: &str, key: &str, value: Value) -> Result<(String, Scalar), ConfigError> {
    let scalar = match value.kind {
        ValueKind::String(text) => Scalar::guess(text),
        ValueKind::Boolean(flag) => Scalar::Flag(flag, flag.to_string()),
        ValueKind::I64(number) => Scalar::Integer(number, number.to_string()),
        ValueKind::Float(number) => Scalar::Float(number, number.to_string()),
        _ => {
            let reason = format!("`{key}` must be a text, a number or a boolean");
            return Err(ConfigError::File {
                path: path.to_owned(),
                reason,
            });
        }
    };
    Ok((key.to_lowercase(), scalar))
}

fn file_error(path: &str, error: &config::ConfigError) -> ConfigError {
    let reason = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    ConfigError::File {
        path: path.to_owned(),
        reason,
    }
}
