//! actix's own errors, told as problems.

use actix_web::Error;
use actix_web::error::{
    ContentTypeError, JsonPayloadError, PathError, PayloadError, QueryPayloadError, UrlencodedError,
};
use actix_web::http::StatusCode;

use super::Problem;

impl Problem {
    /// The problem that an error which is none yet amounts to.
    pub(crate) fn of_error(error: &Error) -> Self {
        if let Some(error) = error.as_error::<JsonPayloadError>() {
            return of_json(error);
        }
        if let Some(error) = error.as_error::<PayloadError>() {
            return of_payload(error);
        }
        if let Some(error) = error.as_error::<QueryPayloadError>() {
            return Self::new(StatusCode::BAD_REQUEST, "invalid_query", error.to_string());
        }
        if let Some(error) = error.as_error::<UrlencodedError>() {
            return Self::new(error_status(error), "invalid_form", error.to_string());
        }
        if let Some(error) = error.as_error::<ContentTypeError>() {
            return Self::unsupported(error.to_string());
        }
        of_other(error)
    }

    /// The problem of a body that is declared as something else than what is taken here.
    pub(crate) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
    }

    /// The problem of a path whose parameters cannot be read.
    pub(crate) fn of_path(error: &PathError) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_path", error.to_string())
    }

    /// The problem that a bare status amounts to.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (error, detail) = match status {
            StatusCode::BAD_REQUEST => ("bad_request", "The request is not valid."),
            StatusCode::UNAUTHORIZED => ("unauthorized", "The request carries no valid credentials."),
            StatusCode::FORBIDDEN => ("forbidden", "The caller may not do this."),
            StatusCode::NOT_FOUND => ("not_found", "There is nothing at this path."),
            StatusCode::METHOD_NOT_ALLOWED => ("method_not_allowed", "This path does not take this method."),
            StatusCode::NOT_ACCEPTABLE => ("not_acceptable", "The answer exists in none of the formats asked for."),
            StatusCode::REQUEST_TIMEOUT => ("request_timeout", "The request took too long to arrive."),
            StatusCode::PAYLOAD_TOO_LARGE => ("payload_too_large", "The request body is too large."),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ("unsupported_media_type", "The request body has the wrong type."),
            StatusCode::TOO_MANY_REQUESTS => ("rate_limited", "Too many requests."),
            StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "The service cannot answer at the moment."),
            status if status.is_server_error() => ("internal_error", "Something went wrong on our side."),
            _ => ("request_refused", "The request was refused."),
        };
        Self::new(status, error, detail)
    }
}

fn of_json(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::OverflowKnownLength { limit, .. } | JsonPayloadError::Overflow { limit } => {
            too_large(&format!("The JSON body is larger than {limit} bytes."))
        }
        JsonPayloadError::ContentType => Problem::unsupported("The content type must be application/json."),
        JsonPayloadError::Deserialize(error) if error.is_data() => {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_body", error.to_string())
        }
        JsonPayloadError::Deserialize(error) => {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_json", error.to_string())
        }
        JsonPayloadError::Payload(error) => of_payload(error),
        other => Problem::new(StatusCode::BAD_REQUEST, "invalid_json", other.to_string()),
    }
}

fn of_payload(error: &PayloadError) -> Problem {
    match error {
        PayloadError::Overflow => too_large("The request body is too large."),
        other => Problem::new(StatusCode::BAD_REQUEST, "incomplete_body", other.to_string()),
    }
}

fn of_other(error: &Error) -> Problem {
    let status = error.as_response_error().status_code();
    let problem = Problem::of_status(status);
    if status.is_server_error() {
        return problem.caused_by(anyhow::anyhow!("{error}"));
    }
    let detail = error.to_string();
    if detail.is_empty() {
        problem
    } else {
        Problem::new(status, problem.error(), detail)
    }
}

fn too_large(detail: &str) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
}

fn error_status(error: &UrlencodedError) -> StatusCode {
    actix_web::ResponseError::status_code(error)
}
