//! Signs the head of the audit log when it has moved, and keeps what it signed in the database and in a file outside of it.
//!
//! It signs only what goes on from what it signed before: an end that does not follow is reported and stays unsigned.

mod file;

use std::path::{Path, PathBuf};
use std::time::Duration;

use access_token::{Signer, SignerError};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use db::Db;
use db::audit::{AuditPiece, checkpoints, stream_behind};
use domain::audit_chain::{BEFORE_THE_FIRST, Checkpoint, FirstBad, Head, SigningKey, UnusableKey, Verifier};
use domain::time_format::format_millis;
use ring::rand::SecureRandom;
use service_kit::{Shutdown, clock};

use crate::private_file::{self, PrivateFileError};

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditKeyError {
    #[error(transparent)]
    File(#[from] PrivateFileError),
    #[error(transparent)]
    Made(#[from] SignerError),
    #[error("it holds no Ed25519 private key in PKCS#8 PEM")]
    Key,
}

impl From<UnusableKey> for AuditKeyError {
    fn from(_: UnusableKey) -> Self {
        Self::Key
    }
}

/// Why no checkpoint was made.
#[derive(Debug, thiserror::Error)]
enum NotSigned {
    #[error(transparent)]
    Database(#[from] db::Error),
    #[error("the checkpoint file {path} cannot be written")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the audit log does not go on from what was signed: {0}")]
    Tampered(FirstBad),
    #[error("the audit log ends with entry {found}, before entry {signed} that was signed")]
    GoneBack { found: i64, signed: i64 },
    #[error("the audit log could not be read to its end")]
    Unfinished,
}

/// The key in `path`. A missing file is made; of several processes at once one makes it and all use it.
pub(crate) fn load_or_create_key(path: &Path, random: &dyn SecureRandom) -> Result<SigningKey, AuditKeyError> {
    let make = || Ok::<_, AuditKeyError>(Signer::generate_pem()?.into_bytes());
    let pem = private_file::read_or_create(path, random, make)?;
    let der = String::from_utf8(pem).ok().and_then(|pem| from_pem(&pem));
    Ok(SigningKey::from_pkcs8(&der.ok_or(AuditKeyError::Key)?)?)
}

fn from_pem(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----")?;
    let body: String = body.split_whitespace().collect();
    BASE64_STANDARD.decode(body).ok()
}

/// Signs heads, one replica beside others: each keeps its own file, and the first one's row counts.
pub(crate) struct CheckpointWorker {
    db: Db,
    key: SigningKey,
    file: PathBuf,
    every: Duration,
    signed: Head,
}

impl CheckpointWorker {
    /// A worker that goes on from the last checkpoint of the file, or else of the database, that its own key signed.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) async fn new(db: Db, key: SigningKey, file: PathBuf, every: Duration) -> Result<Self, db::Error> {
        checkpoints::publish_key(&db, key.public_key()).await?;
        let own = |checkpoint: &Checkpoint| checkpoint.is_signed_by(std::slice::from_ref(key.public_key()));
        let last = match file::last(&file).filter(own) {
            Some(last) => Some(last),
            None => checkpoints::latest(&db).await?.filter(own),
        };
        let signed = last.map_or(
            Head {
                last_id: 0,
                entry_hash: BEFORE_THE_FIRST,
            },
            |last| Head {
                last_id: last.id,
                entry_hash: last.entry_hash,
            },
        );
        Ok(Self {
            db,
            key,
            file,
            every,
            signed,
        })
    }

    /// Works until shutdown. What fails is logged and tried again.
    pub(crate) async fn run(mut self, shutdown: Shutdown) {
        while !shutdown.is_requested() {
            if let Err(error) = self.sign_when_moved().await {
                metrics::counter!("audit_checkpoint_failures_total").increment(1);
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the head of the audit log was not signed: {error}"
                );
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = tokio::time::sleep(self.every) => {}
            }
        }
    }

    async fn sign_when_moved(&mut self) -> Result<(), NotSigned> {
        if checkpoints::head(&self.db).await? == self.signed {
            return Ok(());
        }
        let head = self.verified_head().await?;
        if head == self.signed {
            return Ok(());
        }
        let checkpoint = self
            .key
            .sign(head.last_id, head.entry_hash, format_millis(clock::now()));
        // The file first: what is only in it is no harm, what is only in the database can be taken away there.
        self.append(checkpoint.clone()).await?;
        checkpoints::insert(&self.db, &checkpoint).await?;
        self.signed = head;
        metrics::gauge!("audit_checkpoint_entry").set(head.last_id as f64);
        Ok(())
    }

    /// The chain's end, when it goes on from what was signed.
    async fn verified_head(&self) -> Result<Head, NotSigned> {
        let mut verifier = Verifier::behind(self.signed);
        let mut pieces = stream_behind(&self.db, self.signed.last_id);
        let mut head = None;
        loop {
            match pieces.recv().await.ok_or(NotSigned::Unfinished)?? {
                AuditPiece::Begin(state) => head = Some(state.head),
                AuditPiece::Entries(entries) => entries.iter().for_each(|entry| verifier.push(entry)),
                AuditPiece::End => break,
            }
        }
        let head = head.ok_or(NotSigned::Unfinished)?;
        if head.last_id < self.signed.last_id {
            return Err(NotSigned::GoneBack {
                found: head.last_id,
                signed: self.signed.last_id,
            });
        }
        match verifier.finish(Some(head)).first_bad {
            Some(bad) => Err(NotSigned::Tampered(bad)),
            None => Ok(head),
        }
    }

    async fn append(&self, checkpoint: Checkpoint) -> Result<(), NotSigned> {
        let path = self.file.clone();
        let written = tokio::task::spawn_blocking(move || file::append(&path, &checkpoint)).await;
        written
            .unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)))
            .map_err(|source| NotSigned::File {
                path: self.file.clone(),
                source,
            })
    }
}
