//! Keys, claims and verifiers for tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use access_token::{Claims, PublicKey, Signer, Verifier};
use domain::role::Role;
use futures_util::FutureExt;
use uuid::Uuid;

pub(crate) const ISSUER: &str = "openvpn-telemetry";
pub(crate) const AUDIENCE: &str = "openvpn-telemetry-portal";

pub(crate) fn signer() -> Signer {
    Signer::from_pem(Signer::generate_pem().expect("randomness").as_bytes()).expect("a key of our own")
}

/// Claims good for an hour from now.
pub(crate) fn claims(roles: &[Role]) -> Claims {
    let now = service_kit::clock::now().unix_timestamp();
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: "7".to_owned(),
        username: "jdoe".to_owned(),
        roles: roles.to_vec(),
        token_version: 1,
        jti: Uuid::from_u128(1),
        iat: now,
        exp: now + 3600,
    }
}

/// The published keys, and how often they were asked for.
#[derive(Clone, Default)]
pub(crate) struct Published {
    pub(crate) keys: Arc<Mutex<Vec<PublicKey>>>,
    pub(crate) broken: Arc<Mutex<bool>>,
    pub(crate) fetches: Arc<AtomicUsize>,
}

impl Published {
    pub(crate) fn of(signer: &Signer) -> Self {
        let published = Self::default();
        published.add(signer);
        published
    }

    pub(crate) fn add(&self, signer: &Signer) {
        self.keys
            .lock()
            .expect("not poisoned")
            .push(signer.public_key().clone());
    }

    pub(crate) fn verifier(&self) -> Verifier {
        let published = self.clone();
        Verifier::new(ISSUER, AUDIENCE, move || {
            published.fetches.fetch_add(1, Ordering::SeqCst);
            let broken = *published.broken.lock().expect("not poisoned");
            let keys = published.keys.lock().expect("not poisoned").clone();
            async move {
                if broken {
                    Err("connection refused".to_owned())
                } else {
                    Ok(keys)
                }
            }
            .boxed()
        })
    }

    pub(crate) fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}
