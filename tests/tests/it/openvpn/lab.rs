//! One OpenVPN server with its agent, and clients that connect to it over a bridge between network namespaces.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

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
    /// More lines for the server's configuration.
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
             key {folder}/server.key\ndh none\nkeepalive 1 4\nexplicit-exit-notify 1\nscript-security 2\n{hooks}\
             management {folder}/m.sock unix\nmanagement-log-cache 300\nstatus {folder}/status.log 1\n\
             status-version 3\nverb 3\nlog-append {folder}/server.log\n{}\n",
            self.plan.options
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
            "openvpn",
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

    /// The agent's other commands, as an administrator calls them: whether all is well, and what is printed.
    pub(crate) fn agent_says(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(shared_servers().binaries.join("agent"))
            .args(arguments)
            .arg("--config")
            .arg(self.file("agent.toml"))
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// kill -9 of the daemon.
    pub(crate) fn kill_server(&self) {
        kill(&self.server);
    }

    pub(crate) fn start_agent(&self) {
        let config = self.folder.join("agent.toml").display().to_string();
        let mut command = Command::new(shared_servers().binaries.join("agent"));
        command.args(["run", "--config", &config]).env_clear();
        self.with_clock(&mut command);
        *self.agent.lock().unwrap() = Some(self.spawn(command, "agent.log"));
    }

    /// Returns when the agent holds the management interface.
    pub(crate) async fn attached(&self) {
        eventually("the agent to be attached", async || {
            self.agent_log()
                .contains("Attached to the management interface")
                .then_some(())
        })
        .await;
    }

    /// kill -9 of the agent.
    pub(crate) fn kill_agent(&self) {
        kill(&self.agent);
    }

    /// A client of this common name connects; returns when it is through.
    pub(crate) async fn connect(&self, common_name: &str) -> Client {
        self.connect_with(common_name, "").await
    }

    /// The same with more lines for the client's configuration.
    pub(crate) async fn connect_with(&self, common_name: &str, options: &str) -> Client {
        let number = self.next_client.fetch_add(1, Ordering::Relaxed);
        let file = format!("c{number}");
        pki::issue_client(&self.folder, &file, common_name);
        let client = Client {
            common_name: common_name.to_owned(),
            namespace: self.client_namespace(number),
            file,
            options: options.to_owned(),
        };
        self.start_client(&client).await;
        client
    }

    /// Starts a client (again).
    pub(crate) async fn start_client(&self, client: &Client) {
        let (folder, file) = (self.folder.display(), &client.file);
        let log = self.folder.join(format!("{file}.log"));
        let before = text(&log).matches("Initialization Sequence Completed").count();
        let (proto, server) = match self.plan.ipv6 {
            true => ("udp6", "fd18::1"),
            false => ("udp", "198.18.0.1"),
        };
        let options = &client.options;
        let config = format!(
            "client\ndev tun\nproto {proto}\nremote {server} 1194\nnobind\nca {folder}/ca.crt\ncert {folder}/{file}.crt\nkey {folder}/{file}.key\n\
             remote-cert-tls server\nexplicit-exit-notify 1\nconnect-retry 1 1\nverb 3\nlog-append {}\n{options}\n",
            log.display()
        );
        let path = self.folder.join(format!("{file}.conf"));
        fs::write(&path, config).unwrap();
        let child = self.inside(
            &client.namespace,
            "openvpn",
            &["--config", &path.display().to_string()],
            "client.out",
        );
        self.clients.lock().unwrap().insert(file.clone(), child);
        eventually(&format!("{} to be connected", client.common_name), async || {
            (text(&log).matches("Initialization Sequence Completed").count() > before).then_some(())
        })
        .await;
    }

    /// Starts a client that is refused, and waits until it knows and has given up.
    pub(crate) async fn is_refused(&self, client: &Client) {
        let log = self.folder.join(format!("{}.log", client.file));
        let before = text(&log).matches("AUTH_FAILED").count();
        let config = self.folder.join(format!("{}.conf", client.file)).display().to_string();
        let mut child = self.inside(&client.namespace, "openvpn", &["--config", &config], "client.out");
        eventually(&format!("{} to be refused", client.common_name), async || {
            let ended = child.try_wait().unwrap();
            (text(&log).matches("AUTH_FAILED").count() > before && ended.is_some()).then_some(())
        })
        .await;
    }

    /// Waits until a client has ended by itself.
    pub(crate) async fn has_given_up(&self, client: &Client) {
        let mut child = self
            .clients
            .lock()
            .unwrap()
            .remove(&client.file)
            .expect("it is connected");
        eventually("the client to end", async || child.try_wait().unwrap()).await;
    }

    /// Stops the daemon where it stands (`STOP`), or lets it go on (`CONT`).
    pub(crate) fn signal_server(&self, signal: &str) {
        let pid = self.server.lock().unwrap().as_ref().expect("it runs").id().to_string();
        self.run(Command::new("kill").args([&format!("-{signal}"), &pid]));
    }

    /// Waits until the agent has written a command down.
    pub(crate) async fn has_in_its_journal(&self, command: &str) {
        let path = self.folder.join("agent/commands").join(format!("{command}.json"));
        eventually("the command to be in the journal", async || path.exists().then_some(())).await;
    }

    /// Starts the agent again, on a configuration that does not name the management interface.
    pub(crate) fn without_management(&self) {
        let path = self.folder.join("agent.toml");
        let config = text(&path);
        let lines: Vec<&str> = config
            .lines()
            .filter(|line| !line.starts_with("management ="))
            .collect();
        fs::write(&path, lines.join("\n")).unwrap();
        self.kill_agent();
        self.start_agent();
    }

    /// The agent's API key.
    pub(crate) fn agent_key(&self) -> String {
        let config = text(&self.folder.join("agent.toml"));
        let line = config.lines().find_map(|line| line.strip_prefix("api_key = \""));
        line.expect("it has a key").trim_end_matches('"').to_owned()
    }

    /// The client ends cleanly (SIGTERM), and has ended.
    pub(crate) async fn disconnect(&self, client: &Client) {
        let mut child = self
            .clients
            .lock()
            .unwrap()
            .remove(&client.file)
            .expect("it is connected");
        self.run(Command::new("kill").args(["-TERM", &child.id().to_string()]));
        eventually("the client to end", async || child.try_wait().unwrap()).await;
    }

    /// kill -9 of the client: the server hears nothing.
    pub(crate) fn kill_client(&self, client: &Client) {
        let mut child = self
            .clients
            .lock()
            .unwrap()
            .remove(&client.file)
            .expect("it is connected");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Data through the tunnel: so many pings of so many bytes.
    pub(crate) fn ping(&self, client: &Client, count: u32, size: u32) {
        let (count, size) = (count.to_string(), size.to_string());
        self.run(Command::new("ip").args([
            "netns",
            "exec",
            &client.namespace,
            "ping",
            "-q",
            "-i",
            "0.02",
            "-c",
            &count,
            "-s",
            &size,
            "10.66.0.1",
        ]));
    }

    /// The client's packets come from another address from now on: it floats.
    pub(crate) fn move_client(&self, client: &Client, address: &str) {
        // The old one first: whatever is added beside it would go with it.
        let old = format!("{}/16", self.address_of(&client.file));
        self.ip(&["-n", &client.namespace, "addr", "del", &old, "dev", "eth0"]);
        self.ip(&[
            "-n",
            &client.namespace,
            "addr",
            "add",
            &format!("{address}/16"),
            "dev",
            "eth0",
        ]);
    }

    fn address_of(&self, file: &str) -> String {
        let number: u32 = file[1..].parse().unwrap();
        format!("198.18.{}.{}", 1 + number / 200, 10 + number % 200)
    }

    fn client_namespace(&self, number: u32) -> String {
        let namespace = format!("ovt{}-{number}", self.name);
        let server = self.server_namespace();
        let link = format!("v{number}");
        self.ip(&["netns", "add", &namespace]);
        self.namespaces.lock().unwrap().push(namespace.clone());
        self.ip(&["-n", &namespace, "link", "set", "lo", "up"]);
        self.ip(&[
            "link", "add", "name", &link, "netns", &server, "type", "veth", "peer", "name", "eth0", "netns", &namespace,
        ]);
        self.ip(&["-n", &server, "link", "set", &link, "master", "br0", "up"]);
        let address = format!("{}/16", self.address_of(&format!("c{number}")));
        self.ip(&["-n", &namespace, "addr", "add", &address, "dev", "eth0"]);
        let address = format!("fd18::{}/64", 10 + number);
        self.ip(&["-n", &namespace, "addr", "add", &address, "dev", "eth0", "nodad"]);
        self.ip(&["-n", &namespace, "link", "set", "eth0", "up"]);
        namespace
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

    fn run(&self, command: &mut Command) {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{command:?} failed: {errors}{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }

    pub(crate) fn server_log(&self) -> String {
        text(&self.folder.join("server.log"))
    }

    pub(crate) fn agent_log(&self) -> String {
        text(&self.folder.join("agent.log"))
    }
}

impl Drop for Lab {
    #[expect(clippy::print_stderr, reason = "the logs belong to the report of a failed test")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in ["agent.log", "server.log"] {
                let text = text(&self.folder.join(log));
                let lines: Vec<&str> = text.lines().collect();
                eprintln!("--- {log}:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
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
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One certificate in one network namespace.
pub(crate) struct Client {
    pub(crate) common_name: String,
    namespace: String,
    file: String,
    options: String,
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
