//! The rule for usernames.

/// 3–50 letters, digits and underscores. The same rule as the table's.
pub(crate) fn is_valid(username: &str) -> bool {
    (3..=50).contains(&username.len())
        && username
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
