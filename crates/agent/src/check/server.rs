//! What a server's OpenVPN configuration says that matters to an agent. Reads text only: nothing is probed here.

use std::path::{Path, PathBuf};

use openvpn::config::{Config, Directive};

/// The daemon behind one configuration file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Server {
    pub file: PathBuf,
    /// As the agent's configuration calls it, `unix:…` or `tcp:…`.
    pub management: Option<String>,
    pub management_password_file: Option<PathBuf>,
    /// The daemon connects to a management server instead of being one.
    pub management_client: bool,
    /// Another tool decides who may come in: its connection must not be taken.
    pub client_auth: bool,
    pub hold: bool,
    pub status_file: Option<PathBuf>,
    /// The unit that starts the daemon names the status file, not the configuration.
    pub status_from_unit: bool,
    pub connect_hook: Option<String>,
    pub disconnect_hook: Option<String>,
    pub script_security: u32,
    pub duplicate_cn: bool,
    pub username_as_common_name: bool,
    pub client_config_dir: Option<PathBuf>,
    pub user: Option<String>,
    pub group: Option<String>,
    pub chroot: Option<PathBuf>,
    pub is_server: bool,
    /// Other files that it takes in (`config FILE`); they are not read.
    pub includes: Vec<String>,
    /// Lines that the daemon would refuse.
    pub faults: Vec<String>,
}

impl Server {
    /// Reads the text of `file`; relative paths in it are below the folder that the daemon works in.
    pub(super) fn read(file: &Path, text: &str) -> Self {
        let config = Config::parse(text);
        let first = |name: &str| config.last(name).and_then(|directive| directive.argument(0));
        let here = file.parent().unwrap_or(Path::new("/"));
        let folder = first("cd").map_or(here.to_owned(), |folder| here.join(folder));
        let path = |name: &str| first(name).map(|path| folder.join(path));
        let management = config.last("management");
        let status = path("status");
        Self {
            file: file.to_owned(),
            management: management.and_then(|directive| address(directive, &folder)),
            management_password_file: management
                .and_then(|directive| directive.argument(2))
                .filter(|file| *file != "stdin")
                .map(|file| folder.join(file)),
            management_client: config.has("management-client"),
            client_auth: config.has("management-client-auth"),
            hold: config.has("management-hold"),
            status_from_unit: status.is_none(),
            status_file: status.or_else(|| status_of_unit(file)),
            connect_hook: first("client-connect").map(str::to_owned),
            disconnect_hook: first("client-disconnect").map(str::to_owned),
            script_security: first("script-security")
                .and_then(|level| level.parse().ok())
                .unwrap_or(1),
            duplicate_cn: config.has("duplicate-cn"),
            username_as_common_name: config.has("username-as-common-name"),
            client_config_dir: path("client-config-dir"),
            user: first("user").map(str::to_owned),
            group: first("group").map(str::to_owned),
            chroot: path("chroot"),
            is_server: config.has("server")
                || config.has("server-ipv6")
                || config.has("server-bridge")
                || first("mode") == Some("server"),
            includes: config
                .directives
                .iter()
                .filter(|directive| directive.name == "config")
                .filter_map(|directive| directive.argument(0).map(str::to_owned))
                .collect(),
            faults: config.faults.iter().map(ToString::to_string).collect(),
        }
    }
}

/// `management SOCKET unix [FILE]` or `management HOST PORT [FILE]`
fn address(directive: &Directive, folder: &Path) -> Option<String> {
    match (directive.argument(0)?, directive.argument(1)?) {
        (socket, "unix") => Some(format!("unix:{}", folder.join(socket).display())),
        (host, port) if host.contains(':') => Some(format!("tcp:[{host}]:{port}")),
        (host, port) => Some(format!("tcp:{host}:{port}")),
    }
}

/// Debian's units name a status file before the configuration does.
fn status_of_unit(file: &Path) -> Option<PathBuf> {
    let name = file.file_stem()?.to_str()?;
    match file.parent()?.to_str()? {
        "/etc/openvpn/server" => Some(format!("/run/openvpn-server/status-{name}.log").into()),
        "/etc/openvpn" => Some(format!("/run/openvpn/{name}.status").into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_configuration_is_understood() {
        let text = "server 10.8.0.0 255.255.255.0\nmanagement /run/ovpn/m.sock unix\nmanagement-hold\nstatus s.log 5\nuser nobody\nconfig more.conf\n\
                    client-connect \"/usr/local/bin/notify in\"\nscript-security 2\n<ca>\nuser root\n</ca>\n";
        let server = Server::read(Path::new("/etc/openvpn/server/office.conf"), text);
        assert_eq!(server.management.as_deref(), Some("unix:/run/ovpn/m.sock"));
        assert_eq!(server.status_file, Some("/etc/openvpn/server/s.log".into()));
        assert_eq!(server.connect_hook.as_deref(), Some("/usr/local/bin/notify in"));
        assert_eq!(server.user.as_deref(), Some("nobody"));
        assert_eq!(server.script_security, 2);
        assert_eq!(server.includes, ["more.conf"]);
        assert!(server.hold && server.is_server && !server.client_auth && !server.status_from_unit);
    }

    #[test]
    fn what_is_not_said_is_as_the_daemon_and_its_unit_have_it() {
        let file = Path::new("/etc/openvpn/server/office.conf");
        let server = Server::read(file, "cd /srv/vpn\nmanagement ::1 7505 pw\n");
        assert_eq!(server.management.as_deref(), Some("tcp:[::1]:7505"));
        assert_eq!(server.management_password_file, Some("/srv/vpn/pw".into()));
        assert_eq!(server.status_file, Some("/run/openvpn-server/status-office.log".into()));
        assert_eq!(server.script_security, 1);
        assert!(server.status_from_unit && !server.is_server);
    }
}
