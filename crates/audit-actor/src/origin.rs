use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use db::audit::Actor;
use service_kit::{RequestId, client_ip, rate_limit};

/// Longer ones are cut: an audit log is no place to fill a disk from.
const MAX_USER_AGENT: usize = 512;

/// Where a request comes from, for the audit log, lockout and limits.
#[derive(Debug, Clone)]
pub struct Origin {
    ip_address: IpAddr,
    user_agent: Option<String>,
    request_id: Option<String>,
}

impl Origin {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            ip_address: client_ip(request),
            user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
            request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
        }
    }

    pub fn ip_address(&self) -> IpAddr {
        self.ip_address
    }

    /// What limits are counted by.
    pub fn source(&self) -> IpAddr {
        rate_limit::source(self.ip_address)
    }

    pub fn user_agent(&self) -> Option<String> {
        self.user_agent.clone()
    }

    /// This portal user, or nobody who is known by that name, acting from here.
    pub fn actor(&self, portal_user_id: Option<i64>, name: &str) -> Actor {
        Actor {
            portal_user_id,
            name: name.to_owned(),
            ip_address: Some(self.ip_address),
            user_agent: self.user_agent.clone(),
            request_id: self.request_id.clone(),
        }
    }
}

impl FromRequest for Origin {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
