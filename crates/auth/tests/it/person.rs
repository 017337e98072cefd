use domain::role::Role;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use test_support::Reply;

use crate::rig::{Auth, PASSWORD, Rig};

/// A portal user who is logged in.
pub(crate) struct Person<'a> {
    auth: &'a Auth,
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) token: String,
}

impl Rig {
    /// Creates a portal user with [`PASSWORD`] and logs in.
    pub(crate) async fn person<'a>(&self, auth: &'a Auth, username: &str, roles: &[Role]) -> Person<'a> {
        let id = self.portal_user(username, roles).await;
        Person {
            auth,
            id,
            username: username.to_owned(),
            token: auth.token(username).await,
        }
    }

    /// Creates an admin and logs in.
    pub(crate) async fn admin<'a>(&self, auth: &'a Auth) -> Person<'a> {
        self.person(auth, "boss", &[Role::Admin]).await
    }

    /// Entries of the audit log about one object, oldest first: actor, action, details.
    pub(crate) async fn audited(&self, object_type: &str, object_id: impl std::fmt::Display) -> Vec<Value> {
        let query = format!(
            "SELECT actor_name, action, details_json AS details FROM audit_log \
             WHERE object_type = '{object_type}' AND object_id = '{object_id}' AND action NOT IN ('login', 'logout') ORDER BY id"
        );
        self.database.rows(&query).await
    }
}

impl Person<'_> {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        Reply::to(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        Reply::to(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        Reply::to(self.request(Method::DELETE, path)).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.auth.request(method, path).bearer_auth(&self.token)
    }

    /// Logs in anew with [`PASSWORD`].
    pub(crate) async fn log_in_again(&mut self) {
        self.token = self.auth.token(&self.username).await;
    }

    /// The same user on another device.
    pub(crate) async fn elsewhere(&self) -> Self {
        Self {
            auth: self.auth,
            id: self.id,
            username: self.username.clone(),
            token: self.auth.token(&self.username).await,
        }
    }

    /// What the login answers, with a code or without.
    pub(crate) async fn login(&self, password: &str, otp: Option<&str>) -> Reply {
        let mut body = json!({"username": self.username, "password": password});
        if let Some(otp) = otp {
            body["otp"] = otp.into();
        }
        self.auth.login_with(&body).await
    }

    /// With [`PASSWORD`] and no code.
    pub(crate) async fn plain_login(&self) -> Reply {
        self.login(PASSWORD, None).await
    }
}
