//! A management interface that speaks as the real one does, with as many clients as are wanted. Only the agent is measured.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

const TITLE: &str =
    "OpenVPN 2.6.14 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11] [MH/PKTINFO] [AEAD] [DCO]";
const COLUMNS: &str = "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\tBytes Received\t\
                       Bytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient ID\tPeer ID\tData Channel Cipher";
const ROUTES: &str = "HEADER\tROUTING_TABLE\tVirtual Address\tCommon Name\tReal Address\tLast Ref\tLast Ref (time_t)";

/// The daemon: all its clients connected before it was asked, and all of them move data all the time.
pub(crate) struct Daemon {
    clients: u32,
    started: u64,
}

impl Daemon {
    /// Listens in a thread of its own, for one client after the other.
    pub(crate) fn listen(socket: &Path, clients: u32) -> io::Result<()> {
        let listener = UnixListener::bind(socket)?;
        let daemon = Arc::new(Self {
            clients,
            started: seconds() - 3_600,
        });
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // The agent has gone: the next one may come.
                let _ = daemon.serve(&stream);
            }
        });
        Ok(())
    }

    fn serve(self: &Arc<Self>, stream: &UnixStream) -> io::Result<()> {
        let writer = Arc::new(Mutex::new(stream.try_clone()?));
        let say = |text: &str| -> io::Result<()> {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.write_all(text.as_bytes())
        };
        say(">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n")?;
        for line in BufReader::new(stream).lines() {
            let line = line?;
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["pid"] => say("SUCCESS: pid=4242\r\n")?,
                ["status", "3"] => say(&self.status())?,
                ["state", "on", ..] => say(&format!(
                    "SUCCESS: real-time state notification set to ON\r\n{0},CONNECTING,,,,,,\r\n{0},CONNECTED,SUCCESS,10.0.0.1,,,,,\r\nEND\r\n",
                    self.started
                ))?,
                ["log", "on", ..] => say("SUCCESS: real-time log notification set to ON\r\nEND\r\n")?,
                ["bytecount", interval] => {
                    say("SUCCESS: bytecount interval changed\r\n")?;
                    let interval = Duration::from_secs(interval.parse().unwrap_or(10));
                    self.count(&writer, interval);
                }
                _ => say("ERROR: unknown command, enter 'help' for more options\r\n")?,
            }
        }
        Ok(())
    }

    /// `>BYTECOUNT_CLI` for every client in each interval, until the agent is gone.
    fn count(self: &Arc<Self>, writer: &Arc<Mutex<UnixStream>>, interval: Duration) {
        let (daemon, writer) = (self.clone(), writer.clone());
        thread::spawn(move || {
            loop {
                thread::sleep(interval);
                let mut text = String::new();
                for client in 0..daemon.clients {
                    let (received, sent) = daemon.bytes(client);
                    let _ = write!(text, ">BYTECOUNT_CLI:{client},{received},{sent}\r\n");
                }
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                if writer.write_all(text.as_bytes()).is_err() {
                    return;
                }
            }
        });
    }

    fn bytes(&self, client: u32) -> (u64, u64) {
        let lasted = seconds() - self.started;
        (lasted * (1_000 + u64::from(client)), lasted * 9_000)
    }

    fn status(&self) -> String {
        let now = seconds();
        let mut text = format!("TITLE\t{TITLE}\r\nTIME\t2026-11-22 06:00:00\t{now}\r\n{COLUMNS}\r\n");
        for client in 0..self.clients {
            let (received, sent) = self.bytes(client);
            let since = self.started + u64::from(client) % 3_000;
            let (high, low) = (client / 200, client % 200 + 2);
            let _ = write!(
                text,
                "CLIENT_LIST\tuser-{client}@company.example\t198.{}.{}.{low}:{}\t10.8.{high}.{low}\tfd42:66::{:x}\t{received}\t{sent}\t\
                 2026-11-22 05:00:00\t{since}\tUNDEF\t{client}\t{client}\tAES-256-GCM\r\n",
                18 + high / 250,
                high % 250,
                20_000 + client % 40_000,
                0x1000 + client
            );
        }
        let _ = write!(text, "{ROUTES}\r\n");
        for client in 0..self.clients {
            let (high, low) = (client / 200, client % 200 + 2);
            let _ = write!(
                text,
                "ROUTING_TABLE\t10.8.{high}.{low}\tuser-{client}@company.example\t198.18.0.1:1194\t2026-11-22 05:59:59\t{now}\r\n"
            );
        }
        text.push_str("GLOBAL_STATS\tMax bcast/mcast queue length\t1\r\nGLOBAL_STATS\tdco_enabled\t0\r\nEND\r\n");
        text
    }
}

#[expect(clippy::disallowed_methods, reason = "a daemon has the host's clock")]
fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
