//! The passwords of the services' database roles. Roles belong to the whole cluster; what they may do in this database is
//! granted by the steps.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseConnection};
use thiserror::Error;

/// PostgreSQL's own number of rounds.
const ITERATIONS: std::num::NonZeroU32 = std::num::NonZeroU32::new(4096).expect("not zero");
const SALT_BYTES: usize = 16;
/// How often a password is tried again that another database's migration is setting at the same instant.
const ATTEMPTS: u32 = 50;

/// Each role with the variable that its password comes from.
pub const SERVICE_ROLES: [(&str, &str); 6] = [
    ("ovt_ingest", "DB_PASSWORD_INGEST"),
    ("ovt_session_processor", "DB_PASSWORD_SESSION_PROCESSOR"),
    ("ovt_query_api", "DB_PASSWORD_QUERY_API"),
    ("ovt_auth", "DB_PASSWORD_AUTH"),
    ("ovt_realtime_gateway", "DB_PASSWORD_REALTIME_GATEWAY"),
    ("ovt_reporter", "DB_PASSWORD_REPORTER"),
];

/// A role and the password it shall have.
#[derive(Clone)]
pub struct RolePassword {
    pub(crate) role: &'static str,
    password: String,
}

/// A password that cannot be set; the message names the variable, never the password.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0} must have 12 to 128 characters, all of them printable ASCII")]
pub struct UnusablePassword(&'static str);

impl RolePassword {
    /// The passwords that `variable` knows. A role whose variable is not set, or is empty, keeps the password it has.
    ///
    /// # Errors
    /// [`UnusablePassword`]: PostgreSQL would normalise other characters, and short passwords are guessed.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Self>, UnusablePassword> {
        let given = SERVICE_ROLES
            .into_iter()
            .filter_map(|(role, name)| Some((role, name, variable(name).filter(|value| !value.is_empty())?)));
        given
            .map(|(role, name, password)| {
                let printable = password.bytes().all(|byte| (b' '..=b'~').contains(&byte));
                if !printable || !(12..=128).contains(&password.len()) {
                    return Err(UnusablePassword(name));
                }
                Ok(Self { role, password })
            })
            .collect()
    }
}

/// Sets the passwords. Only verifiers go over the wire, so that no statement log ever holds a password.
pub(crate) async fn set_passwords(connection: &DatabaseConnection, passwords: &[RolePassword]) -> anyhow::Result<()> {
    let random = SystemRandom::new();
    for RolePassword { role, password } in passwords {
        let mut salt = [0; SALT_BYTES];
        random
            .fill(&mut salt)
            .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?;
        let statement = format!("ALTER ROLE {role} PASSWORD '{}'", verifier(password, &salt));
        alter(connection, &statement).await?;
    }
    Ok(())
}

/// PostgreSQL takes no lock on a role that it alters: the second of two at the same instant fails, and may try again.
async fn alter(connection: &DatabaseConnection, statement: &str) -> anyhow::Result<()> {
    for attempt in 1.. {
        match connection.execute_unprepared(statement).await {
            Err(error) if attempt < ATTEMPTS && error.to_string().contains("tuple concurrently updated") => {}
            outcome => return Ok(outcome.map(drop)?),
        }
    }
    Ok(())
}

/// What PostgreSQL keeps of a password: RFC 5803, `SCRAM-SHA-256$<rounds>:<salt>$<StoredKey>:<ServerKey>`.
fn verifier(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ITERATIONS,
        salt,
        password.as_bytes(),
        &mut salted,
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client_key = hmac::sign(&key, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(server_key)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_the_one_that_postgresql_makes() {
        // Made by PostgreSQL 15 for the password `pencil` and this salt; RFC 7677 has the same keys in its example.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        let expected = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
        assert_eq!(verifier("pencil", &salt), expected);
    }

    #[test]
    fn a_password_that_would_be_changed_on_the_way_is_refused() {
        let only = |value: &'static str| move |name: &str| (name == "DB_PASSWORD_AUTH").then(|| value.to_owned());
        let refused = RolePassword::from_variables(only("pässword-of-auth")).err();
        assert_eq!(refused, Some(UnusablePassword("DB_PASSWORD_AUTH")));
        assert!(RolePassword::from_variables(only("short")).is_err());
        assert_eq!(RolePassword::from_variables(only("")).expect("none is given").len(), 0);
        let given = RolePassword::from_variables(only("0123456789abcdef")).expect("a good password");
        assert_eq!(given[0].role, "ovt_auth");
    }
}
