//! API keys of the simulated VPN servers.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// A VPN server's name and its agent's API key.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey {
    pub server: String,
    pub key: String,
}

/// Never shows the key.
impl std::fmt::Debug for ServerKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ServerKey")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Reads `server_name=ovt_…`, one a line or separated by commas; empty lines and lines with `#` are passed over.
///
/// # Errors
/// Names the first line that is something else, without showing it.
pub fn parse_keys(text: &str) -> anyhow::Result<Vec<ServerKey>> {
    let mut keys = Vec::new();
    let entries = text.split(['\n', ',']).map(str::trim).enumerate();
    for (index, entry) in entries.filter(|(_, entry)| !entry.is_empty() && !entry.starts_with('#')) {
        let (server, key) = entry
            .split_once('=')
            .with_context(|| format!("entry {} of the keys is not NAME=KEY", index + 1))?;
        keys.push(ServerKey {
            server: server.trim().to_owned(),
            key: key.trim().to_owned(),
        });
    }
    Ok(keys)
}

/// Keys from a file, or else from the text of an environment variable.
///
/// # Errors
/// When there are none, or they cannot be read.
pub fn read_keys(file: Option<&Path>, variable: Option<&str>) -> anyhow::Result<Vec<ServerKey>> {
    let keys = match (file, variable) {
        (Some(file), _) => {
            parse_keys(&fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?)?
        }
        (None, Some(text)) => parse_keys(text)?,
        (None, None) => Vec::new(),
    };
    anyhow::ensure!(
        !keys.is_empty(),
        "no API keys: give --keys FILE or SIMULATOR_KEYS with lines NAME=KEY"
    );
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_one_a_line_or_separated_by_commas() {
        let keys = parse_keys("# the fleet\nvpn-1=ovt_a_b\n\n vpn-2 = ovt_c_d ,vpn-3=ovt_e_f\n").unwrap();
        let names: Vec<&str> = keys.iter().map(|key| key.server.as_str()).collect();
        assert_eq!(names, ["vpn-1", "vpn-2", "vpn-3"]);
        assert_eq!(keys[1].key, "ovt_c_d");
        assert!(!format!("{keys:?}").contains("ovt_"));
        assert!(parse_keys("vpn-1").is_err());
    }
}
