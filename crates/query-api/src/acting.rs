//! Who acts, for the audit log.

use std::future::{Ready, ready};

use access_token::Caller;
use actix_web::dev::Payload;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use db::audit::Actor;
use service_kit::{Problem, RequestId, client_ip};

/// Longer ones are cut: an audit log is no place to fill a disk from.
const MAX_USER_AGENT: usize = 512;

/// The caller, with where the request comes from.
pub(crate) struct Acting(pub(crate) Actor);

impl FromRequest for Acting {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        ready(caller.map(|caller| Self(actor(&caller, request))))
    }
}

/// The caller of a request as the audit log names him.
pub(crate) fn actor(caller: &Caller, request: &HttpRequest) -> Actor {
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    Actor {
        portal_user_id: Some(caller.portal_user_id),
        name: caller.username.clone(),
        ip_address: Some(client_ip(request)),
        user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
        request_id: request.extensions().get::<RequestId>().map(ToString::to_string),
    }
}
