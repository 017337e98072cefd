//! When people work.

use time::{OffsetDateTime, Weekday};

/// How busy each hour of a working day (UTC) is; the mean is 1.
const HOURS: [f64; 24] = [
    0.35, 0.30, 0.30, 0.30, 0.40, 0.60, 1.20, 2.40, 2.50, 2.10, 1.45, 1.15, 1.40, 1.75, 1.50, 1.25, 1.05, 0.85, 0.75,
    0.65, 0.55, 0.45, 0.40, 0.35,
];

/// On a free day people connect less.
const FREE_DAY: f64 = 0.4;

/// The highest value of [`intensity`].
pub(super) const BUSIEST: f64 = 2.5;

/// How many connects there are at an instant, compared with the mean of a working day.
pub(super) fn intensity(at: OffsetDateTime) -> f64 {
    let day = if matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) {
        FREE_DAY
    } else {
        1.0
    };
    HOURS[usize::from(at.hour())] * day
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hours_of_a_working_day_have_a_mean_of_one_and_a_known_peak() {
        assert!(
            (HOURS.iter().sum::<f64>() / 24.0 - 1.0).abs() < 0.01,
            "{}",
            HOURS.iter().sum::<f64>() / 24.0
        );
        assert!(HOURS.iter().all(|hour| *hour <= BUSIEST));
    }
}
