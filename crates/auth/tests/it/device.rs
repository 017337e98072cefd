use std::sync::Mutex;

use reqwest::RequestBuilder;
use serde_json::{Value, json};
use test_support::Reply;

use crate::rig::{Auth, PASSWORD};

/// An API client that keeps its tokens itself.
pub(crate) struct Device<'a> {
    auth: &'a Auth,
    pub(crate) access_token: Mutex<String>,
    pub(crate) refresh_token: Mutex<String>,
}

impl Auth {
    /// Logs in with [`PASSWORD`].
    pub(crate) async fn device(&self, username: &str) -> Device<'_> {
        let tokens = self.login(username, PASSWORD).await.expect(200).json();
        Device {
            auth: self,
            access_token: text(&tokens, "access_token").into(),
            refresh_token: text(&tokens, "refresh_token").into(),
        }
    }

    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        let request = self.post("/api/auth/refresh").header("x-request-id", "refresh-1");
        Reply::to(request.json(&json!({"refresh_token": token}))).await
    }

    pub(crate) async fn logout(&self, token: &str) -> Reply {
        Reply::to(self.post("/api/auth/logout").json(&json!({"refresh_token": token}))).await
    }

    /// A request of a page on this origin, whose browser sends the cookie.
    pub(crate) fn page_request(&self, path: &str, origin: Option<&str>, cookie: &str) -> RequestBuilder {
        let request = self
            .post(path)
            .header("cookie", format!("__Host-refresh={cookie}"))
            .json(&json!({}));
        match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        }
    }
}

impl Device<'_> {
    pub(crate) fn refresh_token(&self) -> String {
        self.refresh_token.lock().unwrap().clone()
    }

    pub(crate) fn access_token(&self) -> String {
        self.access_token.lock().unwrap().clone()
    }

    /// Exchanges the refresh token and keeps what it gets.
    pub(crate) async fn refresh(&self) {
        let tokens = self.auth.refresh(&self.refresh_token()).await.expect(200).json();
        *self.access_token.lock().unwrap() = text(&tokens, "access_token");
        *self.refresh_token.lock().unwrap() = text(&tokens, "refresh_token");
    }

    pub(crate) async fn me(&self) -> Reply {
        self.auth.me(&self.access_token()).await
    }
}

pub(crate) fn text(json: &Value, member: &str) -> String {
    json[member]
        .as_str()
        .unwrap_or_else(|| panic!("no {member} in {json}"))
        .to_owned()
}
