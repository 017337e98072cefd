//! What an inventory is made of, from recorded files and some that were made up.

use std::fs;
use std::path::PathBuf;

use agent::config;
use agent::inventory::{Files, ReadError};
use agent_api::Inventory;

/// A folder with the recorded files of a VPN server.
struct Server {
    folder: PathBuf,
    settings: config::Inventory,
}

impl Server {
    fn new(test: &str) -> Self {
        let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/openvpn");
        let folder = std::env::temp_dir().join(format!("agent-inventory-{test}-{}", std::process::id()));
        fs::create_dir_all(folder.join("ccd")).unwrap();
        for name in ["index.txt", "crl.pem", "jdoe.crt"] {
            fs::copy(fixtures.join("easy-rsa").join(name), folder.join(name)).unwrap();
        }
        fs::copy(
            fixtures.join("ccd/branch-office-01"),
            folder.join("ccd/branch-office-01"),
        )
        .unwrap();
        let config = "client-config-dir ccd\ncrl-verify crl.pem\npush \"route 172.16.66.0 255.255.255.0\"\n";
        fs::write(folder.join("server.conf"), config).unwrap();
        let settings = config::Inventory {
            index_file: Some(folder.join("index.txt")),
            server_config: Some(folder.join("server.conf")),
            ..config::Inventory::default()
        };
        Self { folder, settings }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).unwrap();
    }

    fn try_read(&self) -> Result<Inventory, ReadError> {
        Files::of(&self.settings).unwrap().read()
    }

    fn read(&self) -> Inventory {
        self.try_read().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn names(inventory: &Inventory) -> Vec<&str> {
    let certificates = inventory.certificates.iter();
    certificates.map(|one| one.common_name.as_str()).collect()
}

#[test]
fn recorded_files_make_an_inventory() {
    let server = Server::new("recorded");
    let inventory = server.read();
    assert_eq!(inventory.certificates.len(), 14);
    assert_eq!(inventory.ccds.len(), 1);
    let ours: Vec<&str> = inventory
        .routes
        .iter()
        .filter(|route| route.common_name.is_none())
        .map(|route| route.network.as_str())
        .collect();
    assert_eq!(ours, ["172.16.66.0/24"]);
    assert_eq!(inventory.routes.len(), 6);
    // The same files, the same inventory: nothing is sent again.
    assert_eq!(server.read(), inventory);
}

#[test]
fn a_certificate_is_revoked_as_soon_as_index_or_list_says_so() {
    let server = Server::new("revoked");
    let index = fs::read_to_string(server.folder.join("index.txt")).unwrap();
    let forgetful = index.replace("R\t290223215903Z\t261121215905Z,keyCompromise", "V\t290223215903Z\t");
    assert_ne!(index, forgetful);
    server.write("index.txt", &forgetful);
    let inventory = server.read();
    let mallory = inventory
        .certificates
        .iter()
        .find(|one| one.common_name == "mallory")
        .unwrap();
    assert!(mallory.revoked_at.is_some(), "the list says so");
    let expired = inventory
        .certificates
        .iter()
        .find(|one| one.common_name == "expired-user")
        .unwrap();
    assert_eq!(expired.revoked_at, None);
}

#[test]
fn who_is_no_vpn_user_is_left_out() {
    let mut server = Server::new("excluded");
    server.settings.exclude = vec!["vpn-gw1".to_owned()];
    let config = fs::read_to_string(server.folder.join("server.conf")).unwrap();
    // As if it were the server's own.
    server.write("server.conf", &format!("{config}cert jdoe.crt\n"));
    for left_behind in ["DEFAULT", ".hidden", "jdoe~", "jdoe.bak"] {
        server.write(&format!("ccd/{left_behind}"), "disable\n");
    }
    let inventory = server.read();
    assert!(!names(&inventory).contains(&"vpn-gw1"));
    assert!(!names(&inventory).contains(&"jdoe@company.com"));
    assert_eq!(names(&inventory).len(), 12);
    assert_eq!(inventory.ccds.len(), 1);
}

#[test]
fn what_cannot_be_read_as_a_whole_is_no_inventory() {
    let mut server = Server::new("broken");
    server.settings.max_entries = 20;
    assert!(matches!(
        server.try_read(),
        Err(ReadError::TooMany { found: 21, limit: 20 })
    ));
    server.settings.max_entries = 21;
    server.write("crl.pem", "nothing");
    assert!(matches!(server.try_read(), Err(ReadError::Content { path, .. }) if path.ends_with("crl.pem")));
    fs::remove_file(server.folder.join("crl.pem")).unwrap();
    assert!(matches!(server.try_read(), Err(ReadError::File { path, .. }) if path.ends_with("crl.pem")));
    assert!(Files::of(&config::Inventory::default()).is_none());
}
