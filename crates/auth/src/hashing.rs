//! Password hashing (argon2id) beside the request threads, and never more of it than the machine can bear.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;
use tokio::task;

use crate::password::Password;

/// Memory in KiB, passes and lanes of a hash: OWASP's first choice, about 25 ms on one core.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    /// As many passwords as allowed are being hashed or wait for it: try again soon.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    #[error("hashing a password failed")]
    Hash(#[from] argon2::password_hash::Error),
    #[error("the hashing task was stopped")]
    Stopped(#[from] task::JoinError),
}

/// A bounded pool. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hasher {
    workers: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// What passwords of unknown users are compared with, so that they cost the same time as those of known ones.
    nobodys_hash: Arc<str>,
}

impl Hasher {
    /// At most `workers` hashes at once, and at most `queue` more that wait.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub(crate) fn new(workers: usize, queue: usize) -> Result<Self, argon2::password_hash::Error> {
        Ok(Self {
            workers: Arc::new(Semaphore::new(workers)),
            places: Arc::new(Semaphore::new(workers + queue)),
            nobodys_hash: hash(&Password::new("nobody"))?.into(),
        })
    }

    /// Whether `password` is the one behind `stored` (PHC string). Without `stored` it is not, after the same time.
    pub(crate) async fn verify(&self, password: Password, stored: Option<String>) -> Result<bool, HashError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobodys_hash.to_string());
        let matches = self.run(move || verify(&password, &stored)).await??;
        Ok(matches && known)
    }

    /// Hashes a new password (PHC string).
    pub(crate) async fn hash(&self, password: Password) -> Result<String, HashError> {
        Ok(self.run(move || hash(&password)).await??)
    }

    /// The permits live as long as the work itself: a caller who goes away does not make room for more.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, HashError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| HashError::Busy)?;
        let worker = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        let done = task::spawn_blocking(move || {
            let _held = (place, worker);
            work()
        });
        Ok(done.await?)
    }
}

fn argon2id() -> Argon2<'static> {
    let (memory, passes, lanes) = COST;
    let params = Params::new(memory, passes, lanes, None).expect("the cost is within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes on the calling thread, with a salt from the operating system.
///
/// # Errors
/// When the operating system gives no randomness.
pub(crate) fn hash(password: &Password) -> Result<String, argon2::password_hash::Error> {
    Ok(argon2id().hash_password(password.reveal().as_bytes())?.to_string())
}

fn verify(password: &Password, stored: &str) -> Result<bool, argon2::password_hash::Error> {
    let stored = PasswordHash::new(stored)?;
    match argon2id().verify_password(password.reveal().as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_matches() {
        let hasher = Hasher::new(1, 4).unwrap();
        let stored = hash(&Password::new("Correct-h0rse")).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            hasher
                .verify(Password::new("Correct-h0rse"), Some(stored.clone()))
                .await
                .unwrap()
        );
        assert!(
            !hasher
                .verify(Password::new("correct-h0rse"), Some(stored))
                .await
                .unwrap()
        );
        assert!(!hasher.verify(Password::new("nobody"), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_refuses_at_once_and_recovers() {
        let hasher = Hasher::new(1, 1).unwrap();
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let blocked = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(move || wait.recv()).await }
        });
        let waiting = tokio::spawn({
            let hasher = hasher.clone();
            async move { hasher.run(|| ()).await }
        });
        while hasher.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(
            hasher.verify(Password::new("x"), None).await,
            Err(HashError::Busy)
        ));
        release.send(()).unwrap();
        blocked.await.unwrap().unwrap().unwrap();
        waiting.await.unwrap().unwrap();
        assert!(!hasher.verify(Password::new("x"), None).await.unwrap());
    }
}
