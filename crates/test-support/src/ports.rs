use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Mutex;

/// Below the range from which the kernel takes ports for outgoing connections: a client that reconnects to a stopped
/// server inside that range can end up connected to itself.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// Locks on the ports of this process, held until it ends. `deploy/local/ports.sh` takes ports by the same rule.
static RESERVED: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A free port on 127.0.0.1 that no other test takes while this process lives, whether something listens or not.
///
/// # Panics
/// When no port is free.
pub fn free_port() -> u16 {
    let directory = lock_directory();
    let start = u16::try_from(crate::new_uuid().as_u128() % u128::from(COUNT)).expect("smaller than COUNT");
    let port = (0..COUNT)
        .map(|step| FIRST + (start + step) % COUNT)
        .find(|port| reserve(&directory.join(port.to_string()), *port));
    port.expect("a free port between 20000 and 29999")
}

fn reserve(path: &PathBuf, port: u16) -> bool {
    let file = File::create(path).expect("a lock file for the port");
    let free = file.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    if free {
        RESERVED.lock().expect("no test panics while it holds this").push(file);
    }
    free
}

fn lock_directory() -> PathBuf {
    let user = fs::metadata("/proc/self").expect("/proc is there").uid();
    let directory = PathBuf::from(format!("/tmp/openvpn-telemetry-ports-{user}"));
    fs::create_dir_all(&directory).expect("a directory for port locks");
    directory
}
