//! `migrations up | down [STEPS] | status`, on the database named by `DATABASE_URL`, as its owner. `up` also gives the
//! services' roles their passwords, from `DB_PASSWORD_<SERVICE>`.
#![expect(clippy::print_stdout, reason = "a command-line tool answers on standard output")]

use anyhow::{Context, Result, bail};
use migrations::RolePassword;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::var("DATABASE_URL").context("DATABASE_URL is not set; it names the database to migrate")?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["up"] => {
            let passwords = RolePassword::from_variables(|name| std::env::var(name).ok())?;
            migrations::up(&url, &passwords).await.context("migrating up failed")?;
        }
        ["down"] => migrations::down(&url, 1).await.context("migrating down failed")?,
        ["down", steps] => migrations::down(&url, steps.parse().context("STEPS is a number")?).await?,
        ["status"] => {
            for name in migrations::pending(&url).await? {
                println!("pending {name}");
            }
        }
        _ => bail!("usage: migrations up | down [STEPS] | status"),
    }
    Ok(())
}
