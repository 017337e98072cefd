//! Clients of the lab.

use std::fs;
use std::process::{Child, Command};
use std::sync::atomic::Ordering;

use test_support::eventually;

use super::{Lab, text};
use crate::openvpn::pki;

/// One certificate in one network namespace.
pub(crate) struct Client {
    pub(crate) common_name: String,
    namespace: String,
    file: String,
    options: String,
}

impl Lab {
    /// A client of this common name connects; returns when it is through.
    pub(crate) async fn connect(&self, common_name: &str) -> Client {
        self.connect_with(common_name, "").await
    }

    /// The same with more lines for the client's configuration.
    pub(crate) async fn connect_with(&self, common_name: &str, options: &str) -> Client {
        let client = self.new_client(common_name, options);
        self.start_client(&client).await;
        client
    }

    /// A client that is not started yet.
    pub(crate) fn new_client(&self, common_name: &str, options: &str) -> Client {
        let number = self.next_client.fetch_add(1, Ordering::Relaxed);
        let file = format!("c{number}");
        pki::issue_client(&self.folder, &file, common_name);
        Client {
            common_name: common_name.to_owned(),
            namespace: self.client_namespace(number),
            file,
            options: options.to_owned(),
        }
    }

    /// Starts a client (again), and returns when it is through.
    pub(crate) async fn start_client(&self, client: &Client) {
        let before = self.times_connected(client);
        self.launch_client(client);
        self.is_through(client, before + 1).await;
    }

    /// How often the client itself says that it was through.
    pub(crate) fn times_connected(&self, client: &Client) -> usize {
        self.client_log(client)
            .matches("Initialization Sequence Completed")
            .count()
    }

    pub(crate) fn client_log(&self, client: &Client) -> String {
        text(&self.folder.join(format!("{}.log", client.file)))
    }

    /// Starts a client and lets it connect by itself.
    pub(crate) fn launch_client(&self, client: &Client) {
        let (folder, file) = (self.folder.display(), &client.file);
        // The last one may still be saying good-bye.
        if let Some(mut before) = self.clients.lock().unwrap().remove(file) {
            before.kill().unwrap();
            before.wait().unwrap();
        }
        let log = self.folder.join(format!("{file}.log"));
        let (proto, server) = match self.plan.ipv6 {
            true => ("udp6", "fd18::1"),
            false => ("udp", "198.18.0.1"),
        };
        let options = &client.options;
        let config = format!(
            "client\ndev tun\nproto {proto}\nremote {server} 1194\nnobind\nca {folder}/ca.crt\ncert {folder}/{file}.crt\nkey {folder}/{file}.key\n\
             remote-cert-tls server\nexplicit-exit-notify 1\nconnect-retry 1 1\ntls-timeout 1\nverb 3\nlog-append {}\n{options}\n",
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
    }

    /// SIGTERM, without waiting.
    pub(crate) fn tell_client_to_end(&self, client: &Client) {
        let clients = self.clients.lock().unwrap();
        let child = clients.get(&client.file).expect("it was started");
        // It may have ended by itself.
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).output();
    }

    /// Whether the client has ended by itself.
    pub(crate) fn is_over(&self, client: &Client) -> bool {
        let mut clients = self.clients.lock().unwrap();
        let child = clients.get_mut(&client.file).expect("it was started");
        child.try_wait().unwrap().is_some()
    }

    /// Waits until a client is through for the so-manieth time: it comes back by itself when the daemon is gone.
    pub(crate) async fn is_through(&self, client: &Client, times: usize) {
        eventually(&format!("{} to be connected", client.common_name), async || {
            (self.times_connected(client) >= times).then_some(())
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

    fn take(&self, client: &Client) -> Child {
        let mut clients = self.clients.lock().unwrap();
        clients.remove(&client.file).expect("it was started")
    }

    /// Waits until a client has ended by itself.
    pub(crate) async fn has_given_up(&self, client: &Client) {
        let mut child = self.take(client);
        eventually("the client to end", async || child.try_wait().unwrap()).await;
    }

    /// The client ends cleanly (SIGTERM), and has ended.
    pub(crate) async fn disconnect(&self, client: &Client) {
        let mut child = self.take(client);
        self.run(Command::new("kill").args(["-TERM", &child.id().to_string()]));
        eventually("the client to end", async || child.try_wait().unwrap()).await;
    }

    /// kill -9 of the client: the server hears nothing.
    pub(crate) fn kill_client(&self, client: &Client) {
        let mut child = self.take(client);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Data through the tunnel: so many pings of so many bytes. How many were answered; one at least.
    pub(crate) fn ping(&self, client: &Client, count: u32, size: u32) -> u32 {
        let (count, size) = (count.to_string(), size.to_string());
        let counted = ["-q", "-i", "0.02", "-c", &count, "-s", &size, "10.66.0.1"];
        let said = self.run(
            Command::new("ip")
                .args(["netns", "exec", &client.namespace, "ping"])
                .args(counted),
        );
        let (before, _) = said.split_once(" received").expect("ping counts the answers");
        before.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Whether some pings came back, while so many were sent.
    pub(crate) fn try_ping(&self, client: &Client, count: u32) -> bool {
        let count = count.to_string();
        let ping = [
            "ping",
            "-q",
            "-i",
            "0.02",
            "-w",
            "1",
            "-c",
            &count,
            "-s",
            "500",
            "10.66.0.1",
        ];
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &client.namespace]).args(ping);
        command.output().unwrap().status.success()
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
}
