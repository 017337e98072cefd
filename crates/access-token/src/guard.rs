//! Stands before every handler of a service.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{ALLOW, AUTHORIZATION, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpMessage};
use domain::role::Role;
use futures_util::future::LocalBoxFuture;
use service_kit::rate_limit::RateLimit;
use service_kit::{Problem, clock};

use crate::caller::Caller;
use crate::config::AccessConfig;
use crate::denial::{Denial, Sampler};
use crate::denylist::Denylist;
use crate::refusal::Refusal;
use crate::routes::{Route, Table, Verdict};
use crate::verifier::Verifier;

/// Lets a request through only as its service's list of routes says: a route that is not listed is 404 whatever handlers
/// exist; one that asks for roles needs a valid token with one of them, and its handler can take the [`Caller`]. An
/// actix middleware; cheap to clone.
#[derive(Clone)]
pub struct Guard {
    table: Arc<Table>,
    verifier: Verifier,
    denylist: Denylist,
    /// By portal user: only valid tokens get here, so there are no more keys than users.
    rates: RateLimit<i64>,
    denials: Arc<Sampler>,
    on_denied: Option<OnDenied>,
}

type OnDenied = Arc<dyn Fn(Denial) + Send + Sync>;

impl Guard {
    /// A guard for these routes.
    pub fn new(routes: &'static [Route], verifier: Verifier, denylist: Denylist, config: &AccessConfig) -> Self {
        Self {
            table: Arc::new(Table::new(routes)),
            verifier,
            denylist,
            rates: RateLimit::per_minute(config.api_requests_per_minute),
            denials: Arc::default(),
            on_denied: None,
        }
    }

    /// Calls `tell` when somebody is refused for want of a role: at most once a minute for each caller and route, with the
    /// count. It runs on the HTTP thread and must not wait.
    #[must_use]
    pub fn on_denied(mut self, tell: impl Fn(Denial) + Send + Sync + 'static) -> Self {
        self.on_denied = Some(Arc::new(tell));
        self
    }

    async fn admit(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let pattern = request.match_pattern();
        let path = request.match_info().as_str();
        match self.table.judge(request.method(), path, pattern.as_deref()) {
            Verdict::Open => Ok(()),
            Verdict::NotFound => Err(Problem::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "There is nothing at this path.",
            )),
            Verdict::WrongMethod(allowed) => Err(wrong_method(&allowed)),
            Verdict::Token(needed) => {
                let caller = self.verifier.verify(bearer(request)?, clock::now()).await?;
                self.rates.take(&caller.portal_user_id)?;
                self.refuse_revoked(&caller, must_be_fresh(request.method(), &needed))
                    .await?;
                self.require_roles(&caller, &needed, request)?;
                request.extensions_mut().insert::<Caller>(caller);
                Ok(())
            }
        }
    }

    /// The copy of the denylist is good enough to read with, unless it was never complete.
    async fn refuse_revoked(&self, caller: &Caller, must_be_fresh: bool) -> Result<(), Refusal> {
        let denied = if must_be_fresh || !self.denylist.is_loaded() {
            let asked = self.denylist.check(caller).await;
            asked.map_err(|error| Refusal::DenylistUnavailable(format!("{:#}", anyhow::Error::new(error))))?
        } else {
            self.denylist.is_denied(caller)
        };
        if denied { Err(Refusal::Revoked) } else { Ok(()) }
    }

    fn require_roles(
        &self,
        caller: &Caller,
        needed: &[&'static [Role]],
        request: &ServiceRequest,
    ) -> Result<(), Refusal> {
        let Some(missed) = needed.iter().find(|roles| !roles.iter().any(|role| caller.has(*role))) else {
            return Ok(());
        };
        if let Some(action) = caller.required_action {
            return Err(Refusal::ActionRequired(action));
        }
        if let Some(tell) = &self.on_denied {
            let denial = Denial::of(caller, request.request());
            let due = self.denials.sample(denial, Instant::now());
            due.into_iter().for_each(|denial| tell(denial));
        }
        Err(Refusal::Forbidden(missed))
    }
}

/// What changes something, and what only admins may do, is never decided by a copy.
fn must_be_fresh(method: &Method, needed: &[&'static [Role]]) -> bool {
    !matches!(*method, Method::GET | Method::HEAD) || needed.iter().any(|roles| matches!(roles, [Role::Admin]))
}

fn wrong_method(allowed: &str) -> Problem {
    let detail = format!("This path takes {allowed}.");
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    match HeaderValue::from_str(allowed) {
        Ok(allowed) => problem.header(ALLOW, allowed),
        Err(_) => problem,
    }
}

/// The one bearer token of a request.
fn bearer(request: &ServiceRequest) -> Result<&str, Refusal> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let header = headers.next().ok_or(Refusal::Missing)?;
    if headers.next().is_some() {
        return Err(Refusal::Invalid("there is more than one authorization header"));
    }
    let text = header.to_str().map_err(|_| Refusal::Invalid("it cannot be read"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Refusal::Missing),
    }
}

impl<S, B> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Transform = Guarded<S>;
    type InitError = ();
    type Future = Ready<Result<Guarded<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Guarded {
            guard: self.clone(),
            service: Rc::new(service),
        }))
    }
}

/// A service behind a [`Guard`].
pub struct Guarded<S> {
    guard: Guard,
    service: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse<B>, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let guard = self.guard.clone();
        let service = Rc::clone(&self.service);
        Box::pin(async move {
            guard.admit(&request).await?;
            service.call(request).await
        })
    }
}
