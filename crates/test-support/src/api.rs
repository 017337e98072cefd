use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::entrance::Entrance;
use crate::{Reply, contains, eventually};

/// How long the portal may take to show what has been answered to an agent.
const PATIENCE: Duration = Duration::from_secs(15);

/// The portal's API as one portal user sees it.
#[derive(Debug, Clone)]
pub struct Api {
    entrance: Arc<Entrance>,
    caller: Caller,
}

#[derive(Debug, Clone)]
enum Caller {
    Anonymous,
    /// Created and logged in with the first request.
    FirstAdmin,
    Token(String),
}

impl Api {
    pub(crate) fn as_first_admin(entrance: Arc<Entrance>) -> Self {
        Self {
            entrance,
            caller: Caller::FirstAdmin,
        }
    }

    pub(crate) fn anonymous(entrance: Arc<Entrance>) -> Self {
        Self {
            entrance,
            caller: Caller::Anonymous,
        }
    }

    /// The same API for a caller with this access token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            entrance: Arc::clone(&self.entrance),
            caller: Caller::Token(token.to_owned()),
        }
    }

    /// Logs in and gives the API as that user.
    ///
    /// # Panics
    /// When the login is refused.
    pub async fn log_in(&self, username: &str, password: &str) -> Self {
        self.with_token(&self.entrance.log_in(username, password).await)
    }

    /// The access token of this user.
    ///
    /// # Panics
    /// When this is the API without a login.
    pub async fn token(&self) -> String {
        match &self.caller {
            Caller::Anonymous => panic!("nobody has logged in"),
            Caller::FirstAdmin => self.entrance.first_admin_token().await.to_owned(),
            Caller::Token(token) => token.clone(),
        }
    }

    /// The JSON that a path answers with 200.
    ///
    /// # Panics
    /// On any other status; the message holds the body.
    pub async fn get(&self, path: &str) -> Value {
        self.try_get(path).await.expect(200).json()
    }

    /// Waits until a path shows what is expected (see [`contains`]), and gives the whole answer. Until then it may answer
    /// anything, such as 404.
    ///
    /// # Panics
    /// After 15 seconds; the message holds what was shown last.
    pub async fn shows(&self, path: &str, expected: &Value) -> Value {
        let mut last = Value::Null;
        let shown = eventually(path, async || {
            last = self.try_get(path).await.json();
            contains(&last, expected).then(|| last.clone())
        });
        match tokio::time::timeout(PATIENCE, shown).await {
            Ok(shown) => shown,
            Err(_) => panic!("{path} does not show {expected:#}\nbut {last:#}"),
        }
    }

    /// What a path answers, whatever it is.
    pub async fn try_get(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::GET, path).await).await
    }

    /// What a path answers to this JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::to(self.request(Method::POST, path).await.json(body)).await
    }

    /// A request as this user, to be completed.
    pub async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.entrance.request(method, path);
        match &self.caller {
            Caller::Anonymous => request,
            Caller::FirstAdmin => request.bearer_auth(self.entrance.first_admin_token().await),
            Caller::Token(token) => request.bearer_auth(token),
        }
    }
}
