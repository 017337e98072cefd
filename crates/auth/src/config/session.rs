use std::num::NonZeroU32;

use db::login_attempts::LockoutRules;
use garde::Validate;
use serde::Deserialize;
use time::Duration;

/// How portal sessions live.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default)]
#[garde(allow_unvalidated)]
pub struct SessionConfig {
    /// `REFRESH_TOKEN_DAYS`: life of a portal session, days; then the password is asked for again.
    #[garde(range(min = 1, max = 366))]
    pub refresh_token_days: u16,
    /// `REFRESH_GRACE_SECONDS`: for how long a used refresh token still gives another one, because several tabs may come at once.
    #[garde(range(max = 300))]
    pub refresh_grace_seconds: u32,
    /// `PORTAL_ORIGINS`: origins of the portal besides the host that is asked, separated by commas (`https://vpn.example.com`).
    pub portal_origins: String,
    /// `LOGIN_REQUESTS_PER_MINUTE`: logins, refreshes and logouts of one source, in the long run and at once.
    pub login_requests_per_minute: NonZeroU32,
    /// `LOGIN_HISTORY_DAYS`: how long login attempts are kept.
    #[garde(range(min = 1, max = 3_650))]
    pub login_history_days: u16,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            refresh_token_days: 30,
            refresh_grace_seconds: 10,
            portal_origins: String::new(),
            login_requests_per_minute: const { NonZeroU32::new(100).expect("it is not zero") },
            login_history_days: 90,
        }
    }
}

impl SessionConfig {
    pub(crate) fn refresh_life(&self) -> Duration {
        Duration::days(self.refresh_token_days.into())
    }

    pub(crate) fn grace(&self) -> Duration {
        Duration::seconds(self.refresh_grace_seconds.into())
    }

    pub(crate) fn login_history(&self) -> Duration {
        Duration::days(self.login_history_days.into())
    }

    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        let mut allowed = self.portal_origins.split(',').map(str::trim);
        allowed.any(|allowed| !allowed.is_empty() && allowed == origin)
    }
}

/// When failed logins lock an account for their source.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default)]
pub struct LockoutConfig {
    /// `LOCKOUT_FAILURES`: this many failures
    #[garde(range(min = 1, max = 1_000))]
    pub lockout_failures: u32,
    /// `LOCKOUT_WINDOW_SECONDS`: within this time
    #[garde(range(min = 1, max = 86_400))]
    pub lockout_window_seconds: u32,
    /// `LOCKOUT_SECONDS`: lock for this long.
    #[garde(range(min = 1, max = 86_400))]
    pub lockout_seconds: u32,
}

impl Default for LockoutConfig {
    fn default() -> Self {
        Self {
            lockout_failures: 5,
            lockout_window_seconds: 900,
            lockout_seconds: 900,
        }
    }
}

impl LockoutConfig {
    pub(crate) fn rules(&self) -> LockoutRules {
        LockoutRules {
            failures: self.lockout_failures.into(),
            window: Duration::seconds(self.lockout_window_seconds.into()),
            lock: Duration::seconds(self.lockout_seconds.into()),
        }
    }
}
