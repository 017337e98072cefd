//! Answers that many operations have, for the OpenAPI document.

use service_kit::ProblemBody;
use utoipa::IntoResponses;

/// Of an operation that takes a JSON body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents the answers")]
pub(crate) enum BodyRefused {
    /// The body is not the JSON that is expected, or has a field that is not
    #[response(status = 400, content_type = "application/problem+json")]
    NotExpected(ProblemBody),
    /// The body is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// The body is not declared as JSON
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemBody),
}

/// Of an operation whose fields have rules of their own.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents the answers")]
pub(crate) enum FieldsRefused {
    /// `invalid_fields`: `fields` names each field that breaks a rule, with what is wrong
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemBody),
}

/// Of an operation on one thing that its path names.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documents the answers")]
pub(crate) enum PathRefused {
    /// The path or a query parameter cannot be read, or the body is not the JSON that is expected
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// There is no such thing
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
}
