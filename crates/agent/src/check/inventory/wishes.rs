//! Settings of `[inventory]` that work for the agent's account, and what has to be done for them.

use std::path::{Path, PathBuf};

use openvpn::certificate_index::parse_certificate_index;
use openvpn::revocation_list::certificate_serial;
use openvpn::server_config::ServerConfig;

use super::May;
use crate::check::access::Wanted;
use crate::check::{probes, read};
use crate::config::Inventory;
use crate::inventory::beside;

/// Folders that the agent's unit hides from it (`ProtectHome`).
const HIDDEN: [&str; 3] = ["/root", "/home", "/run/user"];
/// Blocks of a configuration that only the daemon may know.
const SECRETS: [&str; 6] = [
    "<key>",
    "<pkcs12>",
    "<secret>",
    "<tls-auth>",
    "<tls-crypt>",
    "<tls-crypt-v2>",
];

/// The settings that work for the agent's account, and what has to be done for them.
pub(super) struct Wishes<'a> {
    /// Where copies may stand that the agent can read.
    pub copies: &'a Path,
    pub may: May<'a>,
    pub lines: Vec<String>,
    pub commands: Vec<String>,
}

impl Wishes<'_> {
    /// What stands in the way of each file.
    pub(super) fn ask(&mut self, text: &str, said: &ServerConfig, settings: &Inventory) -> Vec<String> {
        let from_server = |path: &Option<String>| Some(beside(settings.server_config.as_deref()?, path.as_deref()?));
        let mut obstacles = Vec::new();
        // With the server's own configuration out of reach, what it names has to be named here.
        let is_shown = settings
            .server_config
            .as_deref()
            .is_none_or(|file| self.server_config(file, text, &mut obstacles));
        let index = settings.index_file.clone();
        let crl = settings.crl_file.clone().or_else(|| from_server(&said.crl_file));
        let is_crl_named = settings.crl_file.is_some() || !is_shown;
        for (name, file, is_named) in [("index_file", index, true), ("crl_file", crl, is_crl_named)] {
            let Some(file) = file else { continue };
            match self.reaches(Wanted::Read, &file) {
                Ok(()) if is_named => self.line(name, &file),
                Ok(()) => {}
                // Not there, or the check may not look either.
                Err(what) if !file.is_file() => obstacles.push(what),
                Err(what) => {
                    obstacles.push(what);
                    let copy = self.copy(&file);
                    self.line(name, &copy);
                }
            }
        }
        let ccd = settings.ccd_dir.clone();
        if let Some(folder) = ccd.or_else(|| from_server(&said.client_config_dir)) {
            if let Err(what) = self.reaches_all(&folder) {
                obstacles.push(what);
                self.grant("rX", &folder);
            }
            if settings.ccd_dir.is_some() || !is_shown {
                self.line("ccd_dir", &folder);
            }
        }
        obstacles.extend(self.exclude_own(said, settings));
        obstacles
    }

    /// Whether the agent may be shown the server's configuration.
    fn server_config(&mut self, file: &Path, text: &str, obstacles: &mut Vec<String>) -> bool {
        let Err(what) = self.reaches(Wanted::Read, file) else {
            self.line("server_config", file);
            return true;
        };
        if SECRETS.iter().any(|secret| text.contains(secret)) {
            obstacles.push(format!(
                "{what}, and shall not, for keys stand in it: leave server_config out"
            ));
            return false;
        }
        obstacles.push(what);
        self.grant("r", file);
        self.line("server_config", file);
        true
    }

    /// The server's own certificate, which stands in the index too, has to be named where the agent cannot read it.
    fn exclude_own(&mut self, said: &ServerConfig, settings: &Inventory) -> Option<String> {
        let file = beside(settings.server_config.as_deref()?, said.certificate_file.as_deref()?);
        let what = self.reaches(Wanted::Read, &file).err()?;
        let serial = certificate_serial(&std::fs::read(&file).ok()?).ok()?;
        let issued = parse_certificate_index(&read(settings.index_file.as_deref()?).ok()?).ok()?;
        let own = issued.into_iter().find(|one| one.serial == serial)?.common_name;
        let mut exclude = settings.exclude.clone();
        if exclude.contains(&own) {
            return None;
        }
        exclude.push(own);
        self.lines.push(format!("exclude = {exclude:?}"));
        Some(what)
    }

    fn reaches(&self, wanted: Wanted, path: &Path) -> Result<(), String> {
        if let Some(hidden) = HIDDEN.iter().find(|hidden| path.starts_with(hidden)) {
            return Err(format!(
                "{} is below {hidden}, which the agent's unit hides from it",
                path.display()
            ));
        }
        (self.may)(wanted, path)
    }

    /// A folder and the files in it.
    fn reaches_all(&self, folder: &Path) -> Result<(), String> {
        self.reaches(Wanted::List, folder)?;
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        files
            .map(|entry| entry.path())
            .try_for_each(|file| self.reaches(Wanted::Read, &file))
    }

    fn line(&mut self, name: &str, path: &Path) {
        self.lines.push(format!("{name} = \"{}\"", path.display()));
    }

    /// Rights for the agent alone; nobody loses one. For what holds no keys and is not made anew by its tools.
    fn grant(&mut self, rights: &str, path: &Path) {
        let places = ["/usr/bin/setfacl", "/bin/setfacl"];
        let install = "apt install acl".to_owned();
        if !places.iter().any(|program| Path::new(program).exists()) && !self.commands.contains(&install) {
            self.commands.push(install);
        }
        let account = probes::ACCOUNT;
        for folder in path
            .ancestors()
            .skip(1)
            .filter(|folder| (self.may)(Wanted::Search, folder).is_err())
        {
            self.commands
                .push(format!("setfacl -m u:{account}:x {}", quoted(folder)));
        }
        let command = match path.is_dir() {
            true => format!(
                "setfacl -R -m u:{account}:{rights},d:u:{account}:{rights} {}",
                quoted(path)
            ),
            false => format!("setfacl -m u:{account}:{rights} {}", quoted(path)),
        };
        self.commands.push(command);
    }

    /// easy-rsa makes its files anew, readable to root alone, in a folder where keys stand too: rights on them would not last, and
    /// rights on whatever comes into that folder would reach the keys.
    fn copy(&mut self, file: &Path) -> PathBuf {
        let copy = self.copies.join(file.file_name().unwrap_or_default());
        let draft = copy.with_extension("new");
        let account = probes::ACCOUNT;
        let (from, to, draft) = (quoted(file), quoted(&copy), quoted(&draft));
        let command = format!("install -m 640 -g {account} {from} {draft} && mv {draft} {to}");
        self.commands.push(command.clone());
        self.commands
            .push(format!("echo \"* * * * * root {command}\" >>/etc/cron.d/{account}"));
        copy
    }
}

/// For a shell, unless it is plain.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+@".contains(&byte);
    match path.bytes().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_take_it_apart() {
        assert_eq!(quoted(Path::new("/etc/a b's")), "'/etc/a b'\\''s'");
    }
}
