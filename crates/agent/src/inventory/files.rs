//! The files that an inventory is read from.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use agent_api::{Ccd, Certificate, Inventory, Route};
use openvpn::certificate_index::parse_certificate_index;
use openvpn::client_config::parse_client_config;
use openvpn::revocation_list::{certificate_serial, parse_revocation_list};
use openvpn::server_config::{ServerConfig, parse_server_config};
use time::OffsetDateTime;

use super::beside;
use crate::config;

/// Of an index or a list, bytes. An index line takes about 100.
const MAX_FILE: u64 = 16 << 20;
/// Of a VPN user's own file, bytes.
const MAX_CCD: u64 = 64 << 10;
/// What editors and package managers leave beside a file.
const LEFT_BEHIND: [&str; 7] = ["~", ".bak", ".old", ".orig", ".rej", ".swp", ".tmp"];

/// Why there is no inventory now.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{path} cannot be read: {error}", path = path.display())]
    File { path: PathBuf, error: std::io::Error },
    #[error("{path} makes no sense: {error}", path = path.display())]
    Content {
        path: PathBuf,
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the inventory has {found} entries, {limit} are allowed (inventory.max_entries)")]
    TooMany { found: usize, limit: usize },
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct Files {
    settings: config::Inventory,
}

impl Files {
    /// `None` when there is nothing to look at.
    pub fn of(settings: &config::Inventory) -> Option<Self> {
        let paths = [
            &settings.index_file,
            &settings.crl_file,
            &settings.ccd_dir,
            &settings.server_config,
        ];
        paths.iter().any(|path| path.is_some()).then(|| Self {
            settings: settings.clone(),
        })
    }

    /// Reads everything anew.
    ///
    /// # Errors
    /// When something that is configured cannot be read as a whole.
    pub fn read(&self) -> Result<Inventory, ReadError> {
        let server = self.server_config()?;
        let from_server = |path: &Option<String>| {
            let config = self.settings.server_config.as_deref()?;
            Some(beside(config, path.as_deref()?))
        };
        let crl_file = self.settings.crl_file.clone().or_else(|| from_server(&server.crl_file));
        let ccd_dir = self
            .settings
            .ccd_dir
            .clone()
            .or_else(|| from_server(&server.client_config_dir));
        let own = from_server(&server.certificate_file);
        let mut inventory = Inventory {
            certificates: self.certificates(crl_file.as_deref(), own.as_deref())?,
            ..Inventory::default()
        };
        inventory.routes = server.routes.iter().map(|route| Route::of(None, route)).collect();
        if let Some(folder) = ccd_dir {
            add_ccds(&folder, &mut inventory)?;
        }
        let found = inventory.certificates.len() + inventory.ccds.len() + inventory.routes.len();
        let limit = self.settings.max_entries;
        if found > limit {
            return Err(ReadError::TooMany { found, limit });
        }
        Ok(inventory)
    }

    fn server_config(&self) -> Result<ServerConfig, ReadError> {
        let Some(path) = &self.settings.server_config else {
            return Ok(ServerConfig::default());
        };
        Ok(parse_server_config(&text(path, MAX_FILE)?))
    }

    /// Those of VPN users: the server's own certificate, which stands in the index too, is left out.
    fn certificates(&self, crl_file: Option<&Path>, own: Option<&Path>) -> Result<Vec<Certificate>, ReadError> {
        let Some(index) = &self.settings.index_file else {
            return Ok(Vec::new());
        };
        let issued = parse_certificate_index(&text(index, MAX_FILE)?).map_err(|error| content(index, error))?;
        let revoked = crl_file.map(revocations).transpose()?.unwrap_or_default();
        // Readable or not, it is not what the inventory is about.
        let own = own.and_then(|path| certificate_serial(&bytes(path, MAX_FILE).ok()?).ok());
        let is_user = |serial: &str, name: &str| {
            own.as_deref() != Some(serial) && !self.settings.exclude.iter().any(|excluded| excluded == name)
        };
        Ok(issued
            .into_iter()
            .filter(|one| is_user(&one.serial, &one.common_name))
            .map(|one| Certificate {
                // The daemon looks at the list, the authority at its index: whichever says so first.
                revoked_at: one.revoked_at.or_else(|| revoked.get(&one.serial).copied()),
                common_name: one.common_name,
                serial: one.serial,
                expires_at: one.expires_at,
            })
            .collect())
    }
}

fn revocations(path: &Path) -> Result<HashMap<String, OffsetDateTime>, ReadError> {
    let revoked = parse_revocation_list(&bytes(path, MAX_FILE)?).map_err(|error| content(path, error))?;
    Ok(revoked.into_iter().map(|one| (one.serial, one.revoked_at)).collect())
}

/// One file for each VPN user, called like it; in the order of their names, so that the same files give the same inventory.
fn add_ccds(folder: &Path, inventory: &mut Inventory) -> Result<(), ReadError> {
    let failed = |error| file(folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        // A name that is not UTF-8 is no common name.
        names.extend(entry.map_err(failed)?.file_name().into_string().ok());
    }
    names.retain(|name| is_user(name) && folder.join(name).is_file());
    names.sort_unstable();
    for name in names {
        let config = parse_client_config(&text(&folder.join(&name), MAX_CCD)?);
        if config.unreadable > 0 {
            tracing::debug!(
                name,
                lines = config.unreadable,
                "Some lines of a client's file cannot be read."
            );
        }
        inventory
            .routes
            .extend(config.routes.iter().map(|route| Route::of(Some(&name), route)));
        inventory.ccds.push(Ccd {
            common_name: name,
            ifconfig_ip: config.address,
            ifconfig_netmask: config.netmask,
            ifconfig_ip6: config.address6,
            disabled: config.disabled,
        });
    }
    Ok(())
}

/// `DEFAULT` is for everybody who has no file.
fn is_user(name: &str) -> bool {
    name != "DEFAULT" && !name.starts_with('.') && !LEFT_BEHIND.iter().any(|end| name.ends_with(end))
}

fn text(path: &Path, limit: u64) -> Result<String, ReadError> {
    bytes(path, limit).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let failed = |error| file(path, error);
    let mut bytes = Vec::new();
    let opened = fs::File::open(path).map_err(failed)?;
    opened.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let error = format!("it is larger than {limit} bytes");
        return Err(file(path, std::io::Error::other(error)));
    }
    Ok(bytes)
}

fn file(path: &Path, error: std::io::Error) -> ReadError {
    ReadError::File {
        path: path.to_owned(),
        error,
    }
}

fn content(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> ReadError {
    ReadError::Content {
        path: path.to_owned(),
        error: Box::new(error),
    }
}
