use access_token::Denylist;
use anyhow::{Context, bail};
use bus::Bus;
use clap::Args;
use db::audit::Actor;
use db::portal_users::{self, PasswordReset};
use db::{Db, login_attempts};
use domain::revocation::Revocation;
use service_kit::clock;

use super::{connect, hand_over, say};
use crate::config::{self, ResetConfig};
use crate::hashing;

#[derive(Debug, Args)]
pub struct ResetPassword {
    /// Whose password. The new one comes from NEW_PASSWORD, or is generated and printed once; it must be changed at the next
    /// login.
    username: String,
    /// For somebody who has lost the second factor too.
    #[arg(long)]
    disable_totp: bool,
}

impl ResetPassword {
    pub(super) async fn run(self, actor: Actor) -> anyhow::Result<()> {
        let config: ResetConfig = config::load()?;
        let db = connect(&config.database).await?;
        let (password, generated) = super::choose_password("NEW_PASSWORD", config.new_password.clone())?;
        let reset = PasswordReset {
            password_hash: hashing::hash(&password).context("hashing the password failed")?,
            disable_totp: self.disable_totp,
        };
        let revoked = self.reset(&db, reset, actor).await?;
        if generated {
            say(format_args!(
                "The password of {} is reset. It is not shown again:",
                self.username
            ));
            hand_over(password.reveal());
        } else {
            say(format_args!(
                "The password of {} is the one from NEW_PASSWORD.",
                self.username
            ));
        }
        tell(&config, revoked).await.context(
            "the password is reset, but not every service could be told: access tokens of before may live until they expire (ACCESS_TOKEN_SECONDS)",
        )
    }

    async fn reset(&self, db: &Db, reset: PasswordReset, actor: Actor) -> anyhow::Result<Revocation> {
        let user = portal_users::find_by_username(db, &self.username).await?;
        let user = user.with_context(|| format!("there is no portal user {:?}", self.username))?;
        let done = portal_users::reset_password(db, user.id, reset, clock::now(), actor.clone()).await?;
        let Some(token_version) = done else {
            bail!("the portal user {:?} is deleted", self.username);
        };
        login_attempts::unlock(db, user.id, clock::now(), actor).await?;
        if !user.is_active {
            say("Note that the portal user is deactivated; an admin can activate it.");
        }
        Ok(Revocation::PortalUser {
            id: user.id,
            token_version,
        })
    }
}

/// Takes back the access tokens of before.
async fn tell(config: &ResetConfig, revoked: Revocation) -> anyhow::Result<()> {
    Denylist::connect(&config.access)?.deny(revoked).await?;
    Bus::connect(&config.bus).await?.publish_access_revoked(revoked).await?;
    Ok(())
}
