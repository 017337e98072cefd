//! Stands before every handler of a service.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, AUTHORIZATION, HeaderValue};
use actix_web::{Error, HttpMessage};
use futures_util::future::LocalBoxFuture;
use service_kit::{Problem, clock};

use crate::caller::Caller;
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
}

impl Guard {
    /// A guard for these routes.
    pub fn new(routes: &'static [Route], verifier: Verifier) -> Self {
        Self {
            table: Arc::new(Table::new(routes)),
            verifier,
        }
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
            Verdict::Roles(needed) => {
                let caller = self.verifier.verify(bearer(request)?, clock::now()).await?;
                if let Some(missed) = needed
                    .into_iter()
                    .find(|roles| !roles.iter().any(|role| caller.has(*role)))
                {
                    return Err(Refusal::Forbidden(missed).into());
                }
                request.extensions_mut().insert::<Caller>(caller);
                Ok(())
            }
        }
    }
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
