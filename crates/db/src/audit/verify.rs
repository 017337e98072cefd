use domain::audit_chain::{Checkpoint, Coverage, PublicKey, Report, Verifier};

use super::{AuditFilter, AuditPiece, stream};
use crate::{Db, Error};

/// What a verification trusts beside the database.
#[derive(Debug, Clone, Default)]
pub struct Trusted {
    /// From outside of the database; those in it are compared as well.
    pub checkpoints: Vec<Checkpoint>,
    /// Empty: those that the database names.
    pub keys: Vec<PublicKey>,
}

/// Verifies the whole log as of now, in memory that does not grow with it.
pub async fn verify(db: &Db, trusted: Trusted) -> Result<Report, Error> {
    let mut pieces = stream(db, AuditFilter::default());
    let state = match next(&mut pieces).await? {
        AuditPiece::Begin(state) => *state,
        AuditPiece::Entries(_) | AuditPiece::End => return Err(Error::Corrupt("the audit log began late".to_owned())),
    };
    let keys = if trusted.keys.is_empty() {
        state.keys
    } else {
        trusted.keys
    };
    let mut checkpoints = trusted.checkpoints;
    checkpoints.extend(state.checkpoints);
    let mut verifier = Verifier::new(Coverage::Whole, checkpoints, &keys);
    while let AuditPiece::Entries(entries) = next(&mut pieces).await? {
        // Hashing takes a processor for milliseconds: other requests go on meanwhile.
        let hashing = tokio::task::spawn_blocking(move || {
            entries.iter().for_each(|entry| verifier.push(entry));
            verifier
        });
        verifier = hashing.await.map_err(|stopped| Error::Corrupt(stopped.to_string()))?;
    }
    Ok(verifier.finish(Some(state.head)))
}

type Pieces = tokio::sync::mpsc::Receiver<Result<AuditPiece, Error>>;

async fn next(pieces: &mut Pieces) -> Result<AuditPiece, Error> {
    let ended = || Err(Error::Corrupt("the audit log was not read to its end".to_owned()));
    pieces.recv().await.unwrap_or_else(ended)
}
