use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::keys::KeyArgument;

/// Proves the audit log of OpenVPN Telemetry.
#[derive(Debug, Parser)]
#[command(name = "audit", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks that no entry was changed, removed, moved or put in between. Ends with 1 and the first bad entry when one was.
    Verify(What),
    /// Prints the public half of AUDIT_SIGNING_KEY_FILE, for --public-key.
    PublicKey { file: PathBuf },
}

/// What is verified, and against what.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// The database; not needed for an export.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// An export of the audit log, CSV or JSON: verified without any database.
    #[arg(long, value_name = "FILE")]
    pub(crate) export: Option<PathBuf>,
    /// The export was filtered: entries may be missing between others, and each is checked by itself.
    #[arg(long, requires = "export")]
    pub(crate) subset: bool,
    /// AUDIT_CHECKPOINT_FILE, or a copy: the signed heads that were kept outside of the database.
    #[arg(long, value_name = "FILE", requires = "public_key")]
    pub(crate) checkpoints: Vec<PathBuf>,
    /// A key that signs checkpoints: 64 hexadecimal digits, or a file with them or with a public key in PEM. Without it the
    /// keys that the database names are taken.
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: Vec<KeyArgument>,
}
