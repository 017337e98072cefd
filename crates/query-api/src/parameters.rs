//! Query parameters, read strictly: a name that is not documented, a value that is not understood, or one value too many is
//! 400, because a typing error must never silently widen a filter.

use std::collections::BTreeSet;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use domain::time_format;
use service_kit::Problem;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, Time};
use utoipa::IntoParams;

use crate::error::invalid_parameter;

/// The query parameters of a request, whose names are those that `P` documents.
pub(crate) struct Parameters<P> {
    pairs: Vec<(String, String)>,
    documented: PhantomData<P>,
}

impl<P: IntoParams> Parameters<P> {
    fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let malformed = |_| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_query",
                "The query string cannot be read.",
            )
        };
        let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(malformed)?
            .into_inner();
        let known: BTreeSet<String> = P::into_params(|| None)
            .into_iter()
            .map(|parameter| parameter.name)
            .collect();
        for (name, value) in &pairs {
            if !known.contains(name) {
                return Err(unknown(name, &known));
            }
            if value.is_empty() || value.chars().any(char::is_control) {
                return Err(invalid_parameter(
                    name,
                    format!("`{name}` must have a value without control characters."),
                ));
            }
        }
        Ok(Self {
            pairs,
            documented: PhantomData,
        })
    }

    /// The one value of a parameter.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(invalid_parameter(name, format!("`{name}` may be given once."))),
        }
    }

    /// The one value of a parameter, as `parse` understands it; `expected` completes "must be …".
    pub(crate) fn value<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let understood = |text: &str| parse(text).ok_or_else(|| must_be(name, expected, text));
        self.text(name)?.map(understood).transpose()
    }

    /// All values of a parameter that may be repeated, each of which may be a comma-separated list.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.pairs.iter().filter(move |(other, _)| other == name);
        values.flat_map(|(_, value)| value.split(',')).map(str::trim)
    }

    /// All values of a parameter that may be repeated, as `parse` understands them.
    pub(crate) fn values<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, Problem> {
        self.list(name)
            .map(|text| parse(text).ok_or_else(|| must_be(name, expected, text)))
            .collect()
    }

    /// The query string's own pairs, as the caller wrote them.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

impl<P: IntoParams> FromRequest for Parameters<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request))
    }
}

/// No parameters at all.
pub(crate) struct NoParameters;

impl IntoParams for NoParameters {
    fn into_params(
        _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        Vec::new()
    }
}

/// The parameters of both.
pub(crate) struct And<A, B>(PhantomData<(A, B)>);

impl<A: IntoParams, B: IntoParams> IntoParams for And<A, B> {
    fn into_params(
        parameter_in: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        let mut both = A::into_params(&parameter_in);
        both.extend(B::into_params(&parameter_in));
        both
    }
}

fn unknown(name: &str, known: &BTreeSet<String>) -> Problem {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let detail = match known.as_slice() {
        [] => format!("There is no parameter `{name}` here."),
        _ => format!("There is no parameter `{name}` here; there are {}.", known.join(", ")),
    };
    Problem::new(StatusCode::BAD_REQUEST, "unknown_parameter", detail).with("parameter", name)
}

fn must_be(name: &str, expected: &str, found: &str) -> Problem {
    invalid_parameter(name, format!("`{name}` must be {expected}, not `{found}`."))
}

/// An enumeration by the names of the API.
pub(crate) fn one_of<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::from(text)).ok()
}

const DATE: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// What `from_date` and `to_date` may be.
pub(crate) const DATE_OR_TIME: &str = "a date (2026-02-13) or an RFC 3339 time (2026-02-13T12:00:00Z)";

/// The instant itself, or the beginning of the day in UTC.
pub(crate) fn beginning(text: &str) -> Option<OffsetDateTime> {
    match Date::parse(text, DATE) {
        Ok(date) => Some(date.with_time(Time::MIDNIGHT).assume_utc()),
        Err(_) => time_format::parse_rfc3339(text),
    }
}

/// The first instant behind: of an instant the next microsecond, of a day the next day in UTC.
pub(crate) fn first_behind(text: &str) -> Option<OffsetDateTime> {
    match Date::parse(text, DATE) {
        Ok(date) => Some(date.next_day()?.with_time(Time::MIDNIGHT).assume_utc()),
        Err(_) => time_format::parse_rfc3339(text)?.checked_add(Duration::MICROSECOND),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use time::macros::datetime;

    use super::*;

    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    #[expect(dead_code, reason = "names the parameters")]
    struct Documented {
        status: String,
        page: u64,
    }

    fn read(query: &str) -> Result<Parameters<Documented>, Problem> {
        Parameters::read(&TestRequest::with_uri(&format!("/?{query}")).to_http_request())
    }

    fn refusal<T>(result: Result<T, Problem>) -> (&'static str, String) {
        let problem = result.err().expect("a problem");
        (problem.error(), problem.detail().to_owned())
    }

    #[test]
    fn an_unknown_parameter_is_refused_by_name() {
        let (error, detail) = refusal(read("staus=active"));
        assert_eq!(error, "unknown_parameter");
        assert_eq!(detail, "There is no parameter `staus` here; there are page, status.");
    }

    #[test]
    fn a_parameter_of_one_value_may_not_be_repeated() {
        assert_eq!(
            refusal(read("page=1&page=2").unwrap().text("page")).0,
            "invalid_parameter"
        );
    }

    #[test]
    fn a_list_may_be_repeated_and_separated_by_commas() {
        let parameters = read("status=a,b&status=c").unwrap();
        assert_eq!(parameters.list("status").collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn an_empty_value_and_a_control_character_are_refused() {
        for query in ["status=", "status=%00", "status=a%0Ab"] {
            assert_eq!(refusal(read(query)).0, "invalid_parameter", "{query}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_and_ends_before_the_next() {
        assert_eq!(beginning("2026-02-13"), Some(datetime!(2026-02-13 0:00 UTC)));
        assert_eq!(first_behind("2026-02-13"), Some(datetime!(2026-02-14 0:00 UTC)));
        assert_eq!(
            beginning("2026-02-13T14:00:00+02:00"),
            Some(datetime!(2026-02-13 12:00 UTC))
        );
        assert_eq!(
            first_behind("2026-02-13T12:00:00Z"),
            Some(datetime!(2026-02-13 12:00:00.000001 UTC))
        );
        for text in ["2026-02-30", "yesterday", "2026-02-13T12:00:00", "13.02.2026"] {
            assert_eq!(beginning(text), None, "{text}");
        }
    }
}
