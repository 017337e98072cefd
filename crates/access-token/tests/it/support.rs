//! Keys, claims and verifiers for tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use access_token::{AccessConfig, Claims, Denylist, PublicKey, Signer, Verifier};
use domain::role::Role;
use futures_util::FutureExt;
use serde_json::json;
use test_support::{shared_servers, test_namespace};
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
        sid: Uuid::from_u128(2),
        token_version: 1,
        required_action: None,
        jti: Uuid::from_u128(1),
        iat: now,
        exp: now + 3600,
    }
}

/// A filled denylist of its own.
pub(crate) struct TestDenylist {
    pub(crate) config: AccessConfig,
    pub(crate) denylist: Denylist,
}

impl TestDenylist {
    pub(crate) async fn new() -> Self {
        Self::at(&shared_servers().redis_url).await
    }

    pub(crate) async fn at(redis_url: &str) -> Self {
        let config = json!({"redis_url": redis_url, "redis_prefix": test_namespace()});
        let config: AccessConfig = serde_json::from_value(config).expect("the settings");
        let denylist = Denylist::connect(&config).expect("a URL");
        denylist.fill(&[]).await.expect("Redis answers");
        Self { config, denylist }
    }

    /// Another process with the same list; it knows nothing yet.
    pub(crate) fn elsewhere(&self) -> Denylist {
        Denylist::connect(&self.config).expect("a URL")
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
