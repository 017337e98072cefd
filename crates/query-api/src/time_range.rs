//! The range that a chart covers.

use service_kit::Problem;
use time::{Duration, OffsetDateTime};
use utoipa::IntoParams;

use crate::error::invalid_parameter;
use crate::parameters::{DATE_OR_TIME, Parameters, beginning, first_behind};

/// Reads `from_date` and `to_date`: the last `usual` until `now` when they are not given, never longer than `longest`. The
/// second is the first instant that is too late.
pub(crate) fn read<P: IntoParams>(
    parameters: &Parameters<P>,
    now: OffsetDateTime,
    usual: Duration,
    longest: Duration,
) -> Result<(OffsetDateTime, OffsetDateTime), Problem> {
    let to = parameters.value("to_date", DATE_OR_TIME, first_behind)?.unwrap_or(now);
    let from = parameters.value("from_date", DATE_OR_TIME, beginning)?;
    let from = from.or_else(|| to.checked_sub(usual)).unwrap_or(to);
    if from >= to {
        return Err(invalid_parameter("from_date", "`from_date` must lie before `to_date`."));
    }
    if to - from > longest {
        let days = longest.whole_days();
        return Err(invalid_parameter(
            "from_date",
            format!("The range must not be longer than {days} days."),
        ));
    }
    Ok((from, to))
}
