//! Time-based codes (RFC 6238) as authenticator apps understand them: SHA-1, six digits, 30 seconds.

use ring::rand::SecureRandom;
use time::OffsetDateTime;
use totp_rs::{Builder, Totp, TotpError};

use crate::random::{self, NoRandomness};

/// What an app calls us.
const ISSUER: &str = "OpenVPN Telemetry";

/// Codes of this many steps before and after now are good: clocks differ, and people type slowly.
const SKEW_STEPS: u16 = 1;

/// A new secret: 160 bits, as RFC 4226 recommends.
pub(super) fn generate_secret(random: &dyn SecureRandom) -> Result<[u8; 20], NoRandomness> {
    random::bytes(random)
}

/// The codes of one secret.
pub(super) struct Codes(Totp);

impl Codes {
    pub(super) fn new(secret: &[u8], username: &str) -> Result<Self, TotpError> {
        let codes = Builder::new()
            .with_skew(SKEW_STEPS)
            .with_secret(secret.to_vec())
            .with_account_name(username.to_owned())
            .with_issuer(Some(ISSUER))
            .build()?;
        Ok(Self(codes))
    }

    /// The step whose code this is, if it is one of now's; a step's code may be used once.
    pub(super) fn step_of(&self, code: &str, now: OffsetDateTime) -> Option<i64> {
        let seconds = u64::try_from(now.unix_timestamp()).ok()?;
        self.0.check(code, seconds).and_then(|step| i64::try_from(step).ok())
    }

    /// What the QR code says: `otpauth://totp/…`.
    pub(super) fn uri(&self) -> Result<String, TotpError> {
        self.0.to_url()
    }

    /// The secret in base32, for those who type it.
    pub(super) fn secret_text(&self) -> String {
        self.0.secret().to_base32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, last six digits.
    #[test]
    fn the_codes_are_those_of_the_rfc() {
        let codes = Codes::new(b"12345678901234567890", "jdoe").unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            assert_eq!(codes.step_of(code, now), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn a_code_is_good_for_one_step_before_and_after() {
        let codes = Codes::new(b"12345678901234567890", "jdoe").unwrap();
        let at = |seconds| codes.step_of("287082", OffsetDateTime::from_unix_timestamp(seconds).unwrap());
        assert_eq!(
            [at(0), at(29), at(30), at(89), at(90)],
            [Some(1), Some(1), Some(1), Some(1), None]
        );
        assert_eq!(
            codes.step_of("", OffsetDateTime::from_unix_timestamp(59).unwrap()),
            None
        );
        assert_eq!(
            codes.step_of("28708", OffsetDateTime::from_unix_timestamp(59).unwrap()),
            None
        );
    }

    #[test]
    fn the_uri_names_us_and_the_user() {
        let codes = Codes::new(b"12345678901234567890", "jdoe").unwrap();
        assert_eq!(
            codes.uri().unwrap(),
            "otpauth://totp/OpenVPN%20Telemetry:jdoe?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=OpenVPN%20Telemetry"
        );
        assert_eq!(codes.secret_text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
