//! Who runs a command, for the audit log.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// The name of this process's user, or its number where the system has no name for it.
///
/// The kernel is asked, not `$USER`: the environment says what its owner likes.
pub(super) fn current() -> String {
    let Ok(process) = fs::metadata("/proc/self") else {
        return "unknown".to_owned();
    };
    let uid = process.uid();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(uid, &users).map_or_else(|| uid.to_string(), str::to_owned)
}

fn name_of(uid: u32, users: &str) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_comes_from_the_list_of_users() {
        let users = "root:x:0:0:root:/root:/bin/bash\nnoc:x:1000:1000::/home/noc:/bin/sh\n";
        assert_eq!(name_of(1000, users), Some("noc"));
        assert_eq!(name_of(1001, users), None);
    }
}
