//! Configuration: a flat set of keys from the environment and, below it, from an optional TOML file, read into plain
//! structs and validated before anything starts.

mod entries;
mod fault;
mod kit;
mod reader;
mod scalar;

use garde::Validate;
use serde::de::DeserializeOwned;
use thiserror::Error;

pub(crate) use entries::Entries;
pub use kit::{KitConfig, LogFormat};

/// Why a configuration was refused; each is one sentence that names the variable.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A variable without default is not set.
    #[error("{variable} is required but not set")]
    Missing {
        /// Its name in the environment.
        variable: String,
    },
    /// A value has the wrong type or shape.
    #[error("{variable} must be {expected}, but is {found}")]
    WrongType {
        /// Its name in the environment; several joined by `or` when the same wrong value stands in each.
        variable: String,
        /// What would have been right.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// A value that could be read, but may not be used.
    #[error("{variable} is not valid: {reason}")]
    Invalid {
        /// Its name in the environment.
        variable: String,
        /// The rule it breaks.
        reason: String,
    },
    /// The file that `CONFIG_FILE` names cannot be read or is not flat TOML.
    #[error("CONFIG_FILE {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value was refused without telling which one.
    #[error("the configuration is not valid: {0}")]
    Other(String),
}

/// Reads `C` from the environment and the file that `CONFIG_FILE` names, the environment winning, and validates it.
/// A field is the lower-case name of its variable; an empty variable counts as not set. Structs shared by several
/// services are embedded with `#[serde(flatten)]`.
///
/// # Errors
/// [`ConfigError`], one sentence that names the variable.
pub fn load_config<C>() -> Result<C, ConfigError>
where
    C: DeserializeOwned + Validate,
    C::Context: Default,
{
    Entries::from_process()?.read()
}

/// `LOG_LEVEL`, if it is set; command-line tools have a default of their own.
pub(crate) fn log_level() -> Option<String> {
    let entries = Entries::from_process().ok()?;
    entries.0.get("log_level").map(|level| level.text().to_owned())
}

impl Entries {
    /// Reads and validates `C` from these entries.
    pub(crate) fn read<C>(&self) -> Result<C, ConfigError>
    where
        C: DeserializeOwned + Validate,
        C::Context: Default,
    {
        let config: C = reader::read(self)?;
        match config.validate() {
            Ok(()) => Ok(config),
            Err(report) => Err(invalid(&report)),
        }
    }
}

fn invalid(report: &garde::Report) -> ConfigError {
    let Some((path, error)) = report.iter().next() else {
        return ConfigError::Other(report.to_string());
    };
    let path = path.to_string();
    let field = path.rsplit('.').find(|part| !part.starts_with('[')).unwrap_or(&path);
    ConfigError::Invalid {
        variable: field.to_uppercase(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
