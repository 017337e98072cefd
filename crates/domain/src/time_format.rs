//! Times as text: RFC 3339, read with any offset, written in UTC with milliseconds.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// Reads an RFC 3339 time with any offset; the answer is UTC, cut to microseconds. `None` when it is no such time, or
/// none that UTC can express.
pub fn parse_rfc3339(text: &str) -> Option<OffsetDateTime> {
    let time = OffsetDateTime::parse(text, &Rfc3339)
        .ok()?
        .checked_to_offset(UtcOffset::UTC)?;
    time.replace_nanosecond(time.microsecond() * 1_000).ok()
}

/// `2026-02-13T12:00:00.000Z`, as every API answer and export writes times.
pub fn format_millis(time: OffsetDateTime) -> String {
    let time = time.checked_to_offset(UtcOffset::UTC).unwrap_or(time);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}

/// For `#[serde(serialize_with = "domain::time_format::millis")]`.
pub fn millis<S: serde::Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_millis(*time))
}

/// For `#[serde(serialize_with = "domain::time_format::optional_millis")]`.
pub fn optional_millis<S: serde::Serializer>(time: &Option<OffsetDateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => millis(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn any_offset_becomes_utc() {
        assert_eq!(
            parse_rfc3339("2026-02-13T14:30:00+02:30"),
            Some(datetime!(2026-02-13 12:00 UTC))
        );
        assert_eq!(parse_rfc3339("2026-02-13T12:00:00Z").unwrap().offset(), UtcOffset::UTC);
    }

    #[test]
    fn fractions_are_cut_to_microseconds() {
        assert_eq!(
            parse_rfc3339("2026-02-13T12:00:00.123456999Z"),
            Some(datetime!(2026-02-13 12:00:00.123456 UTC))
        );
    }

    #[test]
    fn what_is_no_rfc_3339_time_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-02-13",
            "2026-02-13T12:00:00",
            "1770984000",
            "2026-02-30T12:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_time_that_utc_cannot_express_is_none() {
        assert_eq!(parse_rfc3339("9999-12-31T23:59:59-23:00"), None);
    }

    #[test]
    fn times_are_written_with_milliseconds() {
        assert_eq!(
            format_millis(datetime!(2026-02-13 12:00:00.1239 +1)),
            "2026-02-13T11:00:00.123Z"
        );
    }
}
