use std::future::{Ready, ready};

use access_token::Caller;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use db::audit::Actor;
use service_kit::Problem;

use crate::Origin;

/// The caller of a request, with where it comes from. As an extractor it answers 401 without a caller.
pub struct Acting(pub Actor);

impl FromRequest for Acting {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        let acting = |caller: Caller| Self(Origin::of(request).actor(Some(caller.portal_user_id), &caller.username));
        ready(caller.map(acting))
    }
}
