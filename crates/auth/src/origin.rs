//! Where a request comes from, for the audit log, lockout and limits.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr};

use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use db::audit::Actor;
use service_kit::{RequestId, client_ip, rate_limit};

/// Longer ones are cut: an audit log is no place to fill a disk from.
const MAX_USER_AGENT: usize = 512;

pub(crate) struct Origin {
    ip_address: Option<IpAddr>,
    user_agent: Option<String>,
    request_id: Option<String>,
}

impl Origin {
    pub(crate) fn ip_address(&self) -> Option<IpAddr> {
        self.ip_address
    }

    /// What limits are counted by.
    pub(crate) fn source(&self) -> IpAddr {
        rate_limit::source(self.ip_address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    pub(crate) fn user_agent(&self) -> Option<String> {
        self.user_agent.clone()
    }

    pub(crate) fn actor(&self, portal_user_id: Option<i64>, name: &str) -> Actor {
        Actor {
            portal_user_id,
            name: name.to_owned(),
            ip_address: self.ip_address,
            user_agent: self.user_agent.clone(),
            request_id: self.request_id.clone(),
        }
    }
}

impl FromRequest for Origin {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        ready(Ok(Self {
            ip_address: Some(client_ip(request)),
            user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
            request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
        }))
    }
}
