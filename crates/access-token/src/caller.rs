//! Who is calling, as a handler sees it.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use domain::required_action::RequiredAction;
use domain::role::Role;
use service_kit::Problem;
use uuid::Uuid;

use crate::claims::Claims;
use crate::refusal::Refusal;

/// The portal user whose token the guard has verified. An extractor; on a public route there is none, so take
/// `Option<Caller>` there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the portal user.
    pub portal_user_id: i64,
    /// Name of the portal user.
    pub username: String,
    /// The roles the token carries.
    pub roles: Vec<Role>,
    /// The token's own id.
    pub token_id: Uuid,
    /// The portal session that the token belongs to.
    pub session_id: Uuid,
    /// The user's token version when it was issued.
    pub token_version: i32,
    /// What the user must do before the roles count; there are none meanwhile.
    pub required_action: Option<RequiredAction>,
}

impl Caller {
    /// Whether the caller has this role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl TryFrom<Claims> for Caller {
    type Error = Refusal;

    fn try_from(claims: Claims) -> Result<Self, Refusal> {
        let portal_user_id = claims
            .sub
            .parse()
            .map_err(|_| Refusal::Invalid("its subject is no portal user"))?;
        let Claims {
            username,
            roles,
            sid,
            token_version,
            required_action,
            jti,
            ..
        } = claims;
        Ok(Self {
            portal_user_id,
            username,
            // Whatever the token says: no role counts before that.
            roles: if required_action.is_some() { Vec::new() } else { roles },
            token_id: jti,
            session_id: sid,
            token_version,
            required_action,
        })
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Refusal::Missing.into()))
    }
}
