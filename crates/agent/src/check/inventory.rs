//! Certificates, addresses and routes: where they stand, and whether the agent may read them there.

mod wishes;

use std::path::{Path, PathBuf};

use openvpn::server_config::{ServerConfig, parse_server_config};

use super::access::Wanted;
use super::advice::Finding;
use super::{Outcome, read};
use crate::config::Inventory;
use crate::inventory::{Files, beside};
use wishes::Wishes;

/// Where easy-rsa's index is besides the places that the configuration leads to.
const USUAL: [&str; 5] = [
    "/etc/openvpn/easy-rsa/pki/index.txt",
    "/etc/openvpn/server/easy-rsa/pki/index.txt",
    "/etc/easy-rsa/pki/index.txt",
    "/usr/share/easy-rsa/pki/index.txt",
    "/root/easy-rsa/pki/index.txt",
];
/// Whether the agent's account may use a file; otherwise what stands in the way.
pub(super) type May<'a> = &'a dyn Fn(Wanted, &Path) -> Result<(), String>;

impl Outcome {
    /// `server` is the daemon's configuration, `config` the agent's.
    pub(super) fn inventory(&mut self, server: &Path, config: &Path, settings: &Inventory, may: May<'_>) {
        let text = read(server).unwrap_or_default();
        let said = parse_server_config(&text);
        let mut wanted = Wishes {
            copies: config.parent().unwrap_or(Path::new("/")),
            may,
            lines: Vec::new(),
            commands: Vec::new(),
        };
        if Files::of(settings).is_none() {
            self.findings.push(Finding::Note(
                "Certificates, static addresses and routes are not told: [inventory] is not set.".to_owned(),
            ));
            let index = find_index(server, &said);
            if index.is_none() {
                self.findings.push(Finding::Note(
                    "easy-rsa's index.txt is not found; without index_file nothing is told of certificates.".to_owned(),
                ));
            }
            let settings = Inventory {
                server_config: Some(server.to_owned()),
                index_file: index,
                ..settings.clone()
            };
            wanted.ask(&text, &said, &settings);
        } else {
            let obstacles = wanted.ask(&text, &said, settings);
            let is_readable = obstacles.is_empty();
            obstacles
                .into_iter()
                .for_each(|what| self.missing(format!("The agent cannot read the inventory: {what}.")));
            if is_readable {
                wanted.lines.clear();
                match Files::of(settings).map(|files| files.read()) {
                    Some(Ok(inventory)) => {
                        let (certificates, routes) = (inventory.certificates.len(), inventory.routes.len());
                        let addresses = inventory.ccds.len();
                        self.good(format!(
                            "The inventory can be read: certificates {certificates}, addresses {addresses}, routes {routes}."
                        ));
                    }
                    Some(Err(error)) => self.missing(format!("The inventory cannot be read: {error}.")),
                    None => {}
                }
            }
        }
        self.commands.extend(wanted.commands);
        if !wanted.lines.is_empty() {
            let (_, lines) = self.agent.get_or_insert_with(|| (config.to_owned(), Vec::new()));
            lines.push("[inventory]".to_owned());
            lines.extend(wanted.lines);
        }
    }
}

/// The index of the authority that the server's own files come from, or one at a usual place.
fn find_index(server: &Path, said: &ServerConfig) -> Option<PathBuf> {
    let files = [&said.certificate_file, &said.crl_file];
    let files = files.into_iter().flatten().map(|file| beside(server, file));
    // PKI/issued/server.crt, PKI/crl.pem
    let near = files.flat_map(|file| file.ancestors().skip(1).take(2).map(Path::to_owned).collect::<Vec<_>>());
    let here = server.parent().unwrap_or(Path::new("/"));
    let below = ["easy-rsa/pki", "pki"].map(|folder| here.join(folder));
    let mut places = near
        .chain(below)
        .map(|folder| folder.join("index.txt"))
        .chain(USUAL.map(PathBuf::from));
    places.find(|place| place.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A server with easy-rsa's files, in a folder of its own.
    fn server(test: &str, config: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("agent-check-{test}-{}", std::process::id()));
        fs::create_dir_all(folder.join("easy-rsa/pki/issued")).unwrap();
        fs::create_dir_all(folder.join("ccd")).unwrap();
        fs::write(
            folder.join("easy-rsa/pki/index.txt"),
            "V\t290223215901Z\t\t01\tunknown\t/CN=jdoe\n",
        )
        .unwrap();
        fs::write(folder.join("ccd/jdoe"), "ifconfig-push 10.8.0.9 255.255.255.0\n").unwrap();
        fs::write(folder.join("server.conf"), config).unwrap();
        folder
    }

    const CONFIG: &str = "server 10.8.0.0 255.255.255.0\ncert easy-rsa/pki/issued/server.crt\nclient-config-dir ccd\n";

    fn check(folder: &Path, settings: &Inventory, may: May<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.inventory(
            &folder.join("server.conf"),
            Path::new("/etc/openvpn-telemetry/agent.toml"),
            settings,
            may,
        );
        outcome
    }

    #[test]
    fn what_is_found_is_proposed_and_then_it_is_good() {
        let folder = server("found", CONFIG);
        let outcome = check(&folder, &Inventory::default(), &|_, _| Ok(()));
        let (_, lines) = outcome.agent.clone().unwrap();
        let (config, index) = (folder.join("server.conf"), folder.join("easy-rsa/pki/index.txt"));
        assert_eq!(
            lines,
            [
                "[inventory]".to_owned(),
                format!("server_config = \"{}\"", config.display()),
                format!("index_file = \"{}\"", index.display()),
            ]
        );
        assert!(outcome.is_good() && outcome.commands.is_empty(), "{outcome:?}");
        let settings = Inventory {
            server_config: Some(config),
            index_file: Some(index),
            ..Inventory::default()
        };
        let outcome = check(&folder, &settings, &|_, _| Ok(()));
        assert_eq!(outcome.agent, None);
        assert_eq!(
            outcome.findings,
            [Finding::Good(
                "The inventory can be read: certificates 1, addresses 1, routes 0.".to_owned()
            )]
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_the_agent_cannot_read_is_copied_or_granted_and_keys_are_neither() {
        let folder = server("hidden", &format!("{CONFIG}<key>\nsecret\n</key>\n"));
        let hidden = ["server.conf", "pki", "ccd"];
        let may = |_: Wanted, path: &Path| match hidden.iter().any(|part| path.to_string_lossy().contains(part)) {
            true => Err(format!("user openvpn-telemetry may not read {}", path.display())),
            false => Ok(()),
        };
        let settings = Inventory {
            server_config: Some(folder.join("server.conf")),
            index_file: Some(folder.join("easy-rsa/pki/index.txt")),
            ..Inventory::default()
        };
        let outcome = check(&folder, &settings, &may);
        let text = outcome.to_text();
        assert!(
            !outcome.is_good() && text.contains("for keys stand in it: leave server_config out"),
            "{text}"
        );
        let index = folder.join("easy-rsa/pki/index.txt");
        let copy = format!(
            "install -m 640 -g openvpn-telemetry {} /etc/openvpn-telemetry/index.new && mv /etc/openvpn-telemetry/index.new \
             /etc/openvpn-telemetry/index.txt",
            index.display()
        );
        let ccd = folder.join("ccd");
        let ccd = ccd.display();
        // Depends on the host.
        let commands: Vec<String> = outcome
            .commands
            .iter()
            .filter(|one| *one != "apt install acl")
            .cloned()
            .collect();
        assert_eq!(
            commands,
            [
                copy.clone(),
                format!("echo \"* * * * * root {copy}\" >>/etc/cron.d/openvpn-telemetry"),
                format!("setfacl -R -m u:openvpn-telemetry:rX,d:u:openvpn-telemetry:rX {ccd}"),
            ]
        );
        let (_, lines) = outcome.agent.unwrap();
        let wanted = [
            "[inventory]",
            "index_file = \"/etc/openvpn-telemetry/index.txt\"",
            &format!("ccd_dir = \"{ccd}\""),
        ];
        assert_eq!(lines, wanted);
        fs::remove_dir_all(folder).unwrap();
    }
}
