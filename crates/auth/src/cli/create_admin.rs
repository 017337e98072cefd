use anyhow::{Context, bail, ensure};
use clap::Args;
use db::audit::Actor;
use db::portal_users::{self, FirstAdmin};

use super::{connect, hand_over, say};
use crate::config::{self, AdminConfig};
use crate::hashing;
use crate::username;

#[derive(Debug, Args)]
pub struct CreateAdmin {
    /// Defaults to ADMIN_USERNAME. The password comes from ADMIN_PASSWORD, or is generated and printed once.
    #[arg(long)]
    username: Option<String>,
}

impl CreateAdmin {
    pub(super) async fn run(self, actor: Actor) -> anyhow::Result<()> {
        let config: AdminConfig = config::load()?;
        let username = self.username.unwrap_or(config.admin_username);
        ensure!(
            username::is_valid(&username),
            "{username:?} is no username: use 3-50 letters, digits and underscores"
        );
        let db = connect(&config.database).await?;
        if portal_users::any_admin_exists(&db).await? {
            say("An admin exists already; nothing was changed.");
            return Ok(());
        }
        let (password, generated) = super::choose_password("ADMIN_PASSWORD", config.admin_password)?;
        let hash = hashing::hash(&password).context("hashing the password failed")?;
        match portal_users::create_first_admin(&db, username.clone(), hash, actor).await? {
            FirstAdmin::Created(_) if generated => {
                say(format_args!(
                    "Admin {username} is created. The password is not shown again:"
                ));
                hand_over(password.reveal());
            }
            FirstAdmin::Created(_) => say(format_args!(
                "Admin {username} is created with the password from ADMIN_PASSWORD."
            )),
            FirstAdmin::AdminExists => say("An admin exists already; nothing was changed."),
            FirstAdmin::UsernameTaken => {
                bail!("the portal user {username} exists and is no active admin: choose another username")
            }
        }
        Ok(())
    }
}
