//! What surrounds every request: its id, its metrics, the edge's rules, and problem+json for whatever goes wrong.

use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};

use crate::edge;
use crate::metrics;
use crate::problem::{self, Problem};
use crate::request_id::{self, RequestId};

/// The outermost middleware of every service.
///
/// # Errors
/// A [`Problem`] that already knows its request's id.
pub(crate) async fn surround<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = RequestId::of(&request);
    let method = request.method().clone();
    request.extensions_mut().insert(id.clone());
    let answered = request_id::CURRENT.scope(id.clone(), answer(request, next)).await;
    match answered {
        Ok(mut response) => {
            let (request, head) = (response.request().clone(), response.headers_mut());
            head.insert(request_id::HEADER, id.header_value());
            edge::harden(request.path(), head);
            let route = response.request().match_pattern();
            metrics::request_answered(&method, route, response.status(), started.elapsed());
            Ok(response)
        }
        Err(problem) => {
            metrics::request_answered(&method, None, problem.status(), started.elapsed());
            Err(problem.for_request(id).into())
        }
    }
}

async fn answer<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Problem> {
    edge::admit(&request)?;
    match next.call(request).await {
        Ok(response) => Ok(told_as_problem(response)),
        Err(error) => {
            let problem = error
                .as_error::<Problem>()
                .map_or_else(|| Problem::of_error(&error), Clone::clone);
            log_cause(&problem);
            Err(problem)
        }
    }
}

/// Replaces an error answer that is not a problem by one that is.
fn told_as_problem<B: MessageBody + 'static>(response: ServiceResponse<B>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response.map_into_boxed_body();
    }
    let problem = match response.response().error() {
        Some(error) => match error.as_error::<Problem>() {
            Some(problem) => {
                log_cause(problem);
                return response.map_into_boxed_body();
            }
            None => Problem::of_error(error),
        },
        None if is_empty(&response) => Problem::of_status(status),
        None => return response.map_into_boxed_body(),
    };
    log_cause(&problem);
    replace_body(response, &problem)
}

fn is_empty<B: MessageBody>(response: &ServiceResponse<B>) -> bool {
    matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0))
}

fn replace_body<B: MessageBody>(response: ServiceResponse<B>, problem: &Problem) -> ServiceResponse<BoxBody> {
    let (request, old) = response.into_parts();
    let mut new: HttpResponse = problem.error_response();
    for (name, value) in old.headers() {
        if name != CONTENT_TYPE && name != CONTENT_LENGTH && !new.headers().contains_key(name) {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    debug_assert_eq!(new.headers().get(CONTENT_TYPE), Some(&problem::MEDIA_TYPE));
    ServiceResponse::new(request, new)
}

fn log_cause(problem: &Problem) {
    if let Some(cause) = problem.cause() {
        let cause = format!("{cause:#}");
        if problem.status().is_server_error() {
            tracing::error!(error = problem.error(), cause, "a request failed");
        } else {
            tracing::warn!(error = problem.error(), cause, "a request was refused");
        }
    }
}
