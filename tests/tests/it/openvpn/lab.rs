//! One OpenVPN server with its agent, and clients that connect to it over a bridge between network namespaces.

mod agent;
mod clients;

pub(crate) use clients::Client;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

use test_support::{Stack, eventually, shared_servers, test_namespace};

use super::pki;

/// The lab. All its processes and namespaces end with it.
pub(crate) struct Lab {
    folder: PathBuf,
    /// Short and new: names of interfaces have 15 characters.
    name: String,
    server: Mutex<Option<Child>>,
    agent: Mutex<Option<Child>>,
    clients: Mutex<HashMap<String, Child>>,
    namespaces: Mutex<Vec<String>>,
    next_client: AtomicU32,
    plan: Plan,
}

/// How a lab differs from the usual one.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// More lines for the server's configuration; `{folder}` is the lab's.
    pub(crate) options: String,
    /// Its addresses.
    pub(crate) network: String,
    /// The agent's hooks are installed.
    pub(crate) hooks: bool,
    /// Where the agent hears the daemon otherwise, as lines of `[openvpn]`; `{folder}` is the lab's.
    pub(crate) sources: String,
    /// The server is reached over IPv6.
    pub(crate) ipv6: bool,
    /// Agent and daemon read their clock through this library; what it adds stands in the lab's file `clock`.
    pub(crate) clock: Option<PathBuf>,
    /// The agent's state is on a disk of its own, of so many KiB.
    pub(crate) disk_kib: Option<u32>,
    /// Start the agent at once.
    pub(crate) agent: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            options: String::new(),
            network: "topology subnet\nserver 10.66.0.0 255.255.0.0".to_owned(),
            hooks: true,
            sources: "management = \"unix:{folder}/m.sock\"".to_owned(),
            ipv6: false,
            clock: None,
            disk_kib: None,
            agent: true,
        }
    }
}

/// Whether these tests can run here; the reason, where they cannot and nobody has said that they may be left out.
pub(crate) fn skipped() -> bool {
    if std::env::var("SKIP_OPENVPN").is_ok_and(|skip| skip == "1") {
        return true;
    }
    let is_root = fs::read_dir("/root").is_ok();
    assert!(
        is_root && Path::new("/dev/net/tun").exists(),
        "real OpenVPN needs root and /dev/net/tun; set SKIP_OPENVPN=1 to leave these tests out"
    );
    false
}

impl Lab {
    /// Makes namespaces, certificates and configuration; starts the server, then the agent with all its sources.
    pub(crate) async fn start(stack: &Stack, server_id: &str) -> Self {
        stack.run("auth", &["create-server", server_id]).await;
        Self::start_registered(stack, server_id, "").await
    }

    /// The same for a VPN server that is registered already, with more lines for its configuration.
    pub(crate) async fn start_registered(stack: &Stack, server_id: &str, options: &str) -> Self {
        let options = options.to_owned();
        Self::start_planned(
            stack,
            server_id,
            Plan {
                options,
                ..Plan::default()
            },
        )
        .await
    }

    /// The same with a plan of its own.
    pub(crate) async fn start_planned(stack: &Stack, server_id: &str, plan: Plan) -> Self {
        let unique = test_namespace();
        let name: String = unique
            .chars()
            .rev()
            .filter(char::is_ascii_alphanumeric)
            .take(7)
            .collect();
        let folder = shared_servers().directory.join(format!("lab-{unique}"));
        fs::create_dir_all(&folder).unwrap();
        let lab = Self {
            folder,
            name,
            server: Mutex::default(),
            agent: Mutex::default(),
            clients: Mutex::default(),
            namespaces: Mutex::default(),
            next_client: AtomicU32::new(0),
            plan,
        };
        pki::found(&lab.folder);
        lab.mount_disk();
        lab.bridge();
        lab.configure(stack, server_id).await;
        if lab.plan.clock.is_some() {
            lab.set_clock("+0");
        }
        if lab.plan.agent {
            lab.start_agent();
        }
        lab.start_server().await;
        lab
    }

    /// Before the daemon starts: its namespace sees the mounts of that moment.
    fn mount_disk(&self) {
        let Some(kib) = self.plan.disk_kib else { return };
        let state = self.file("agent");
        fs::create_dir_all(&state).unwrap();
        let size = format!("size={kib}k");
        self.run(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
                .arg(state),
        );
    }

    fn server_namespace(&self) -> String {
        format!("ovt{}-s", self.name)
    }

    fn bridge(&self) {
        let namespace = self.server_namespace();
        self.ip(&["netns", "add", &namespace]);
        self.namespaces.lock().unwrap().push(namespace.clone());
        self.ip(&["-n", &namespace, "link", "set", "lo", "up"]);
        self.ip(&["-n", &namespace, "link", "add", "br0", "type", "bridge"]);
        self.ip(&["-n", &namespace, "addr", "add", "198.18.0.1/16", "dev", "br0"]);
        self.ip(&["-n", &namespace, "addr", "add", "fd18::1/64", "dev", "br0", "nodad"]);
        self.ip(&["-n", &namespace, "link", "set", "br0", "up"]);
    }

    async fn configure(&self, stack: &Stack, server_id: &str) {
        let created = stack.run("auth", &["create-key", server_id]).await;
        let key = created
            .lines()
            .last()
            .expect("the key is the last line")
            .trim()
            .to_owned();
        let folder = self.folder.display();
        let agent = shared_servers().binaries.join("agent");
        let state = self.folder.join("agent");
        let hook = format!("\"{} hook --state-dir {}\"", agent.display(), state.display());
        let hooks = match self.plan.hooks {
            true => format!("client-connect {hook}\nclient-disconnect {hook}\n"),
            false => String::new(),
        };
        let proto = if self.plan.ipv6 { "udp6" } else { "udp" };
        let network = &self.plan.network;
        let server = format!(
            "port 1194\nproto {proto}\ndev tun\n{network}\nca {folder}/ca.crt\ncert {folder}/server.crt\n\
             key {folder}/server.key\ndh none\nkeepalive 1 4\ntls-timeout 1\nexplicit-exit-notify 1\nscript-security 2\n{hooks}\
             management {folder}/m.sock unix\nmanagement-log-cache 300\nstatus {folder}/status.log 1\n\
             status-version 3\nverb 3\nlog-append {folder}/server.log\n{}\n",
            self.plan.options.replace("{folder}", &folder.to_string())
        );
        fs::write(self.folder.join("server.conf"), server).unwrap();
        let agent = format!(
            "server_id = \"{server_id}\"\napi_url = \"{}\"\napi_key = \"{key}\"\nstate_dir = \"{}\"\n\
             [openvpn]\n{}\nhooks = {}\npoll_seconds = 1\nupdate_seconds = 1\nsnapshot_seconds = 10\n\
             [send]\nlinger_ms = 50\nlongest_pause_seconds = 1\nheartbeat_seconds = 5\n[commands]\ngone_seconds = 8\n\
             [local]\nlisten = \"unix:{folder}/status.sock\"\n",
            stack.ingest(0).url(),
            state.display(),
            self.plan.sources.replace("{folder}", &folder.to_string()),
            self.plan.hooks,
        );
        fs::write(self.folder.join("agent.toml"), agent).unwrap();
    }

    /// Starts the daemon and waits until it takes clients.
    pub(crate) async fn start_server(&self) {
        let before = self.times_up();
        let config = self.folder.join("server.conf").display().to_string();
        let mut command = Command::new("ip");
        // `ip netns exec` becomes the program: the child's pid is the program's.
        command.args([
            "netns",
            "exec",
            &self.server_namespace(),
            &daemon(),
            "--config",
            &config,
        ]);
        self.with_clock(&mut command);
        *self.server.lock().unwrap() = Some(self.spawn(command, "server.out"));
        self.server_up_again(before).await;
    }

    /// How often the daemon has become ready for clients.
    fn times_up(&self) -> usize {
        self.server_log().matches("Initialization Sequence Completed").count()
    }

    async fn server_up_again(&self, before: usize) {
        eventually("the OpenVPN server to be up", async || {
            (self.times_up() > before).then_some(())
        })
        .await;
    }

    /// The daemon restarts itself within its process (USR1, HUP); returns when it takes clients again.
    pub(crate) async fn restart_server_by(&self, signal: &str) {
        let before = self.times_up();
        let pid = self.server.lock().unwrap().as_ref().expect("it runs").id();
        self.run(Command::new("kill").args(["-s", signal, &pid.to_string()]));
        self.server_up_again(before).await;
    }

    /// What the clock of agent and daemon is off by from now on, as `+3600`.
    pub(crate) fn set_clock(&self, offset: &str) {
        let draft = self.folder.join("clock.draft");
        fs::write(&draft, format!("{offset}\n")).unwrap();
        fs::rename(draft, self.folder.join("clock")).unwrap();
    }

    fn with_clock(&self, command: &mut Command) {
        if let Some(library) = &self.plan.clock {
            command
                .env("LD_PRELOAD", library)
                .env("FAKETIME_TIMESTAMP_FILE", self.folder.join("clock"))
                .env("FAKETIME_NO_CACHE", "1")
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
    }

    /// A file of the lab.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Process id of the daemon.
    pub(crate) fn server_pid(&self) -> u32 {
        self.server.lock().unwrap().as_ref().expect("it runs").id()
    }

    /// kill -9 of the daemon.
    pub(crate) fn kill_server(&self) {
        kill(&self.server);
    }

    /// Stops the daemon where it stands (`STOP`), or lets it go on (`CONT`).
    pub(crate) fn signal_server(&self, signal: &str) {
        let pid = self.server.lock().unwrap().as_ref().expect("it runs").id().to_string();
        self.run(Command::new("kill").args([&format!("-{signal}"), &pid]));
    }

    /// Why a client that says good-bye is gone, in this daemon's words.
    pub(crate) fn reason_of_leaving(&self) -> &'static str {
        match self.server_log().contains("CC-EEN exit message") {
            true => "delayed-exit",
            false => "remote-exit",
        }
    }

    fn inside(&self, namespace: &str, program: &str, arguments: &[&str], log: &str) -> Child {
        let mut command = Command::new("ip");
        // `ip netns exec` becomes the program: the child's pid is the program's.
        command.args(["netns", "exec", namespace, program]).args(arguments);
        self.spawn(command, log)
    }

    fn spawn(&self, mut command: Command, log: &str) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(log))
            .unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    fn ip(&self, arguments: &[&str]) {
        self.run(Command::new("ip").args(arguments));
    }

    /// What it prints.
    fn run(&self, command: &mut Command) -> String {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{command:?} failed: {errors}{said}");
        said
    }

    pub(crate) fn server_log(&self) -> String {
        text(&self.folder.join("server.log"))
    }
}

impl Drop for Lab {
    #[expect(clippy::print_stderr, reason = "the logs belong to the report of a failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let clients = (0..*self.next_client.get_mut()).map(|number| (format!("c{number}.log"), 15));
            let both = ["agent.log", "server.log"].map(|log| (log.to_owned(), 60));
            for (log, last) in both.into_iter().chain(clients) {
                let text = text(&self.folder.join(&log));
                let lines: Vec<&str> = text.lines().collect();
                eprintln!("--- {log}:\n{}", lines[lines.len().saturating_sub(last)..].join("\n"));
            }
        }
        for child in self
            .clients
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .values_mut()
        {
            let _ = child.kill();
            let _ = child.wait();
        }
        kill(&self.agent);
        kill(&self.server);
        for namespace in self
            .namespaces
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .iter()
            .rev()
        {
            let _ = Command::new("ip").args(["netns", "del", namespace]).status();
        }
        if self.plan.disk_kib.is_some() {
            let _ = Command::new("umount").arg(self.file("agent")).status();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The daemon of the labs: Debian's, unless another release is to prove itself.
fn daemon() -> String {
    std::env::var("OPENVPN_DAEMON").unwrap_or_else(|_| "openvpn".to_owned())
}

fn kill(child: &Mutex<Option<Child>>) {
    let taken = child.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    if let Some(mut child) = taken {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn text(path: &Path) -> String {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
