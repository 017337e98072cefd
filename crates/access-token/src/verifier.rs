//! Checks tokens.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use time::OffsetDateTime;

use crate::caller::Caller;
use crate::claims::Claims;
use crate::jwks::PublicKey;
use crate::keys::Keys;
use crate::provider;
use crate::refusal::Refusal;

/// Clocks of two machines may differ by this much.
const LEEWAY_SECONDS: i64 = 5;

/// Verifies access tokens: EdDSA only, our issuer, our audience, not expired, signed by a key that is published. Cheap
/// to clone; clones share the keys.
#[derive(Clone)]
pub struct Verifier {
    keys: Arc<Keys>,
    rules: Arc<Validation>,
}

impl Verifier {
    /// A verifier that asks `keys` for the published keys when it meets an unknown one, at most once a second, and once
    /// a minute to forget retired ones.
    pub fn new<F>(issuer: &str, audience: &str, keys: F) -> Self
    where
        F: Fn() -> BoxFuture<'static, Result<Vec<PublicKey>, String>> + Send + Sync + 'static,
    {
        provider::install();
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[issuer]);
        rules.set_audience(&[audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Checked below against the time that the caller gives.
        rules.validate_exp = false;
        Self {
            keys: Arc::new(Keys::new(Box::new(keys))),
            rules: Arc::new(rules),
        }
    }

    /// Whom a token is about, at this time.
    ///
    /// # Errors
    /// [`Refusal`], but never `Missing` nor `Forbidden`.
    pub async fn verify(&self, token: &str, now: OffsetDateTime) -> Result<Caller, Refusal> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| refusal(&error))?;
        if header.alg != Algorithm::EdDSA {
            return Err(Refusal::Invalid("its algorithm is not EdDSA"));
        }
        if header.crit.is_some() {
            return Err(Refusal::Invalid("it needs extensions that are not understood"));
        }
        let kid = header.kid.ok_or(Refusal::Invalid("it names no key"))?;
        let key = self
            .keys
            .get(&kid)
            .await?
            .ok_or(Refusal::Invalid("its key is not known"))?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.rules)
            .map_err(|error| refusal(&error))?
            .claims;
        if claims.exp.saturating_add(LEEWAY_SECONDS) <= now.unix_timestamp() {
            return Err(Refusal::Expired);
        }
        claims.try_into()
    }
}

fn refusal(error: &jsonwebtoken::errors::Error) -> Refusal {
    Refusal::Invalid(match error.kind() {
        ErrorKind::InvalidSignature => "its signature does not match",
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => "its algorithm is not EdDSA",
        ErrorKind::InvalidIssuer => "it is from another issuer",
        ErrorKind::InvalidAudience => "it is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
        _ => "it cannot be read",
    })
}
