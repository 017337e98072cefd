//! Chooses the sources by what the server's configuration allows, and says what to add for better ones. Pure.

use crate::config::OpenVpn;

use super::server::Server;

/// Where the package puts the password of the management interface.
pub(super) const PASSWORD_FILE: &str = "/etc/openvpn-telemetry/management.password";

/// Something the check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    Good(String),
    /// To know; nothing has to be done.
    Note(String),
    /// Without this, sessions are missing or inexact.
    Missing(String),
}

/// What one server's configuration comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Advice {
    pub findings: Vec<Finding>,
    /// To be added to the server's configuration.
    pub server_lines: Vec<String>,
    /// The settings that the agent needs once those lines are there.
    pub wanted: Wanted,
}

/// Settings of the agent's `[openvpn]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub management: Option<String>,
    pub management_password_file: Option<String>,
    pub release_hold: bool,
    pub status_file: Option<String>,
    pub hooks: bool,
}

/// `hook` is the command to install; `calls_hook` tells whether a configured script ends up at it.
pub(super) fn advise(server: &Server, hook: &str, calls_hook: impl Fn(&str) -> bool) -> Advice {
    let mut advice = Advice::default();
    for fault in &server.faults {
        advice.missing(format!("The daemon will refuse {}, {fault}.", server.file.display()));
    }
    if !server.is_server {
        advice.missing(format!(
            "{} is not the configuration of a server.",
            server.file.display()
        ));
    }
    advice.hooks(server, hook, calls_hook);
    advice.management(server);
    if advice.wanted.management.is_none() {
        advice.status_file(server);
    }
    advice.remarks(server);
    advice
}

impl Advice {
    fn good(&mut self, text: impl Into<String>) {
        self.findings.push(Finding::Good(text.into()));
    }

    fn note(&mut self, text: impl Into<String>) {
        self.findings.push(Finding::Note(text.into()));
    }

    fn missing(&mut self, text: impl Into<String>) {
        self.findings.push(Finding::Missing(text.into()));
    }

    fn hooks(&mut self, server: &Server, hook: &str, calls_hook: impl Fn(&str) -> bool) {
        self.wanted.hooks = true;
        let mut installed = true;
        for (name, script) in [
            ("client-connect", &server.connect_hook),
            ("client-disconnect", &server.disconnect_hook),
        ] {
            match script {
                Some(script) if calls_hook(script) => {}
                Some(script) => {
                    installed = false;
                    self.missing(format!(
                        "{name} runs `{script}`, and OpenVPN runs one script only. Call the agent from it, at the beginning: {hook} || true"
                    ));
                }
                None => {
                    installed = false;
                    self.server_lines.push(format!("{name} \"{hook}\""));
                }
            }
        }
        if server.connect_hook.is_none() || server.disconnect_hook.is_none() {
            self.missing("The hooks are not installed. They alone know the exact bytes and duration of a session that has ended.");
        }
        if server.script_security < 2 {
            if installed {
                let level = server.script_security;
                self.missing(format!(
                    "The hooks are installed, but with script-security {level} the daemon runs none."
                ));
            }
            installed = false;
            self.server_lines.push("script-security 2".to_owned());
        }
        if installed {
            self.good("The hooks are installed: connects, disconnects, final bytes and durations are exact.");
        }
    }

    fn management(&mut self, server: &Server) {
        match &server.management {
            _ if server.client_auth => self.note(
                "management-client-auth is on: another tool decides over the management interface who may come in. The agent leaves \
                 it to that tool, and uses the hooks and the status file. Sessions cannot be ended from the portal.",
            ),
            _ if server.management_client => self.note(
                "management-client is on: the daemon connects to another tool. The agent uses the hooks and the status file. Sessions \
                 cannot be ended from the portal.",
            ),
            Some(address) => {
                self.good(format!("The management interface is at {address}."));
                self.wanted.management = Some(address.clone());
                let file = server.management_password_file.as_ref();
                self.wanted.management_password_file = file.map(|file| file.display().to_string());
                if server.hold {
                    self.wanted.release_hold = true;
                    self.note(
                        "management-hold is on: the daemon waits until somebody says `hold release`. With release_hold the agent \
                         does; leave it out where another tool does.",
                    );
                }
            }
            None => {
                self.missing(
                    "There is no management interface. It tells of sessions at once, counts their bytes while they last, and lets \
                     the portal end them.",
                );
                self.server_lines.push(format!("management 127.0.0.1 7505 {PASSWORD_FILE}"));
                self.server_lines.push("management-log-cache 300".to_owned());
                self.wanted.management = Some("tcp:127.0.0.1:7505".to_owned());
                self.wanted.management_password_file = Some(PASSWORD_FILE.to_owned());
            }
        }
    }

    fn status_file(&mut self, server: &Server) {
        match &server.status_file {
            Some(file) => {
                let by = if server.status_from_unit {
                    ", as its unit says"
                } else {
                    ""
                };
                self.good(format!("The daemon writes its status to {}{by}.", file.display()));
                self.wanted.status_file = Some(file.display().to_string());
            }
            None => {
                self.missing("The daemon writes no status file: byte counts while a session lasts, and sessions that a hook missed, come from it.");
                let file = "/run/openvpn/status.log";
                self.server_lines.push(format!("status {file} 10"));
                self.server_lines.push("status-version 3".to_owned());
                self.wanted.status_file = Some(file.to_owned());
            }
        }
    }

    fn remarks(&mut self, server: &Server) {
        if !server.includes.is_empty() {
            self.note(format!(
                "It takes in other files, which this check does not read: {}. What stands there may seem to be missing.",
                server.includes.join(", ")
            ));
        }
        if server.duplicate_cn {
            self.note("duplicate-cn is on: the product must know. Register the VPN server with it, or one name has one session only.");
        }
        if server.username_as_common_name {
            self.note("username-as-common-name is on: VPN users are called by their user names.");
        }
        if let Some(folder) = &server.chroot {
            self.note(format!(
                "chroot is on: the hook, its libraries and the agent's state folder must be found below {}.",
                folder.display()
            ));
        }
    }
}

impl Wanted {
    /// Whether the agent is set so already.
    pub(super) fn is_in(&self, settings: &OpenVpn) -> bool {
        let text = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
        settings.hooks == self.hooks
            && settings.management == self.management
            && text(&settings.management_password_file) == self.management_password_file
            && (settings.release_hold || !self.release_hold)
            && (self.status_file.is_none() || text(&settings.status_file) == self.status_file)
    }

    /// As lines of the agent's file.
    pub(super) fn to_lines(&self) -> Vec<String> {
        let text = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} = \"{value}\""));
        let flag = |name: &str, value: bool| value.then(|| format!("{name} = true"));
        let lines = [
            Some("[openvpn]".to_owned()),
            text("management", &self.management),
            text("management_password_file", &self.management_password_file),
            flag("release_hold", self.release_hold),
            text("status_file", &self.status_file),
            flag("hooks", self.hooks),
        ];
        lines.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const HOOK: &str = "/usr/bin/openvpn-telemetry-agent hook";

    fn advice(text: &str) -> Advice {
        let server = Server::read(
            Path::new("/srv/vpn.conf"),
            &format!("server 10.8.0.0 255.255.255.0\n{text}"),
        );
        advise(&server, HOOK, |script| script == HOOK)
    }

    fn missing(advice: &Advice) -> Vec<&str> {
        fn text(finding: &Finding) -> Option<&str> {
            match finding {
                Finding::Missing(text) => Some(text),
                _ => None,
            }
        }
        advice.findings.iter().filter_map(text).collect()
    }

    #[test]
    fn a_server_with_nothing_gets_all_lines_and_with_them_nothing_is_missing() {
        let first = advice("");
        assert_eq!(
            first.server_lines,
            [
                "client-connect \"/usr/bin/openvpn-telemetry-agent hook\"",
                "client-disconnect \"/usr/bin/openvpn-telemetry-agent hook\"",
                "script-security 2",
                "management 127.0.0.1 7505 /etc/openvpn-telemetry/management.password",
                "management-log-cache 300",
            ]
        );
        assert_eq!(missing(&first).len(), 2);
        let then = advice(&first.server_lines.join("\n"));
        assert_eq!(missing(&then), [] as [&str; 0]);
        assert_eq!(then.server_lines, [] as [&str; 0]);
        assert_eq!(then.wanted, first.wanted);
        assert_eq!(
            then.wanted.to_lines(),
            [
                "[openvpn]",
                "management = \"tcp:127.0.0.1:7505\"",
                "management_password_file = \"/etc/openvpn-telemetry/management.password\"",
                "hooks = true",
            ]
        );
    }

    #[test]
    fn a_socket_that_decides_who_comes_in_is_left_alone() {
        let advice = advice(&format!(
            "management /run/m.sock unix\nmanagement-client-auth\nclient-connect \"{HOOK}\"\nclient-disconnect \"{HOOK}\"\n\
             script-security 3\nstatus /run/s.log 5"
        ));
        assert_eq!(missing(&advice), [] as [&str; 0]);
        assert_eq!(advice.wanted.management, None);
        assert_eq!(advice.wanted.status_file.as_deref(), Some("/run/s.log"));
        assert!(matches!(&advice.findings[1], Finding::Note(text) if text.contains("leaves")));
    }

    #[test]
    fn hooks_that_the_daemon_may_not_run_are_missing() {
        let advice = advice(&format!(
            "client-connect \"{HOOK}\"\nclient-disconnect \"{HOOK}\"\nmanagement /run/m.sock unix"
        ));
        assert!(missing(&advice)[0].contains("script-security 1"), "{advice:?}");
        assert_eq!(advice.server_lines, ["script-security 2"]);
    }

    #[test]
    fn a_script_of_somebody_else_stays_and_a_hold_is_released() {
        let advice =
            advice("management 127.0.0.1 7505\nmanagement-hold\nclient-connect /opt/log-in\nscript-security 2");
        assert!(missing(&advice)[0].contains("runs `/opt/log-in`"), "{advice:?}");
        assert_eq!(
            advice.server_lines,
            ["client-disconnect \"/usr/bin/openvpn-telemetry-agent hook\""]
        );
        assert!(advice.wanted.release_hold);
    }
}
