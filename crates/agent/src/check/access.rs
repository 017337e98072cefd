//! Whether an account may use a file, told from owners and modes: the check runs as root, agent and daemon do not.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Somebody who wants to use a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub name: String,
    uid: u32,
    groups: Vec<u32>,
}

/// What is wanted of a file; the bits are those of a mode's last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// To pass through a folder.
    Search,
    Write,
    Read,
    Run,
    /// To read a folder and the files in it.
    List,
    /// To make, rename and sync files in a folder.
    Fill,
}

impl Wanted {
    fn bits(self) -> u32 {
        match self {
            Self::Search => 1,
            Self::Write => 2,
            Self::Read => 4,
            Self::Run | Self::List => 5,
            Self::Fill => 7,
        }
    }
}

impl Account {
    /// The account as a login has it, with all its groups.
    pub(super) fn named(name: &str) -> Option<Self> {
        let groups = fs::read_to_string("/etc/group").ok()?;
        let mut account = Self::parse(name, &fs::read_to_string("/etc/passwd").ok()?)?;
        let member = |line: &&str| {
            line.rsplit(':')
                .next()
                .is_some_and(|members| members.split(',').any(|one| one == name))
        };
        account.groups.extend(groups.lines().filter(member).filter_map(id));
        Some(account)
    }

    /// The account as the daemon takes it on: of groups it keeps `group` only.
    pub(super) fn of_daemon(user: Option<&str>, group: Option<&str>) -> Option<Self> {
        let mut account = Self::parse(user.unwrap_or("root"), &fs::read_to_string("/etc/passwd").ok()?)?;
        account.groups.clear();
        let groups = fs::read_to_string("/etc/group").ok()?;
        let group = group.unwrap_or("root");
        let line = groups.lines().find(|line| line.split(':').next() == Some(group))?;
        account.groups.push(id(line)?);
        Some(account)
    }

    fn parse(name: &str, passwd: &str) -> Option<Self> {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let main_group = line.split(':').nth(3)?.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            uid: id(line)?,
            groups: vec![main_group],
        })
    }

    /// # Errors
    /// One sentence: what stands in the way.
    pub(super) fn may(&self, wanted: Wanted, path: &Path) -> Result<(), String> {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            self.check(Wanted::Search, folder)?;
        }
        self.check(wanted, path)
    }

    /// Like [`Self::may`], and where modes say no, it is tried: access control lists may say yes.
    ///
    /// # Errors
    /// One sentence: what stands in the way.
    pub(super) fn reaches(&self, wanted: Wanted, path: &Path) -> Result<(), String> {
        self.may(wanted, path).or_else(|what| {
            if self.has_tried(wanted, path) {
                Ok(())
            } else {
                Err(what)
            }
        })
    }

    /// Root can become the account to try. Nobody else can: then modes decide.
    fn has_tried(&self, wanted: Wanted, path: &Path) -> bool {
        let mut command = Command::new("runuser");
        command.args(["-u", &self.name, "--", "test", "-e"]).arg(path);
        for (bit, test) in [(1, "-x"), (2, "-w"), (4, "-r")] {
            if wanted.bits() & bit != 0 {
                command.args(["-a", test]).arg(path);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn check(&self, wanted: Wanted, path: &Path) -> Result<(), String> {
        let metadata = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
        if self.has(wanted, &metadata) {
            return Ok(());
        }
        let verb = match wanted {
            Wanted::Search => "enter",
            Wanted::Write => "write to",
            Wanted::Fill => "make files in",
            Wanted::Read | Wanted::List => "read",
            Wanted::Run => "run",
        };
        let mode = metadata.mode() & 0o7777;
        Err(format!(
            "user {} may not {verb} {} (mode {mode:o})",
            self.name,
            path.display()
        ))
    }

    fn has(&self, wanted: Wanted, metadata: &Metadata) -> bool {
        let shift = match () {
            () if metadata.uid() == self.uid => 6,
            () if self.groups.contains(&metadata.gid()) => 3,
            () => 0,
        };
        let bits = wanted.bits();
        // Root may do all but run what nobody may run.
        let root = self.uid == 0 && (wanted != Wanted::Run || metadata.mode() & 0o111 != 0);
        root || (metadata.mode() >> shift) & bits == bits
    }
}

/// `name:password:id:…`
fn id(line: &str) -> Option<u32> {
    line.split(':').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn owners_groups_and_others_have_their_own_bits() {
        let folder = std::env::temp_dir().join(format!("agent-access-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("file");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let metadata = fs::metadata(&file).unwrap();
        let account = |uid, groups: &[u32]| Account {
            name: "somebody".to_owned(),
            uid,
            groups: groups.to_vec(),
        };
        let stranger = account(metadata.uid() + 4_000, &[metadata.gid() + 4_000]);
        let member = account(metadata.uid() + 4_000, &[metadata.gid()]);
        assert!(member.has(Wanted::Read, &metadata) && !member.has(Wanted::Write, &metadata));
        assert!(!stranger.has(Wanted::Read, &metadata));
        assert!(account(metadata.uid(), &[]).has(Wanted::Write, &metadata));
        assert!(account(0, &[]).has(Wanted::Write, &metadata) && !account(0, &[]).has(Wanted::Run, &metadata));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let refused = member.may(Wanted::Read, &file).unwrap_err();
        assert!(refused.contains("may not enter"), "{refused}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_account_is_found_by_its_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/:/usr/sbin/nologin\n";
        let account = Account::parse("nobody", passwd).unwrap();
        assert_eq!((account.uid, account.groups), (65534, vec![65533]));
        assert_eq!(Account::parse("no", passwd), None);
    }
}
