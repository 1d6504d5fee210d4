//! The range of an event's time, relative to the arrival of its message.
//!
//! Cloud Logging rejects entries of more than 24 hours ahead, and keeps entries for at most 3,650 days
//! (<https://cloud.google.com/logging/quotas#log-limits>). A table that is partitioned by `event_timestamp` accepts
//! streamed rows of the past ten years and the next year
//! (<https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#time-unit_column_partitioning>). A time
//! outside this range is forged or comes from a wrong clock. BigQuery would reject its row, or store it in the table of a
//! day that no query reads. An archive of ten years can be replayed.

use jiff::{SignedDuration, Timestamp};

/// Ten years, with their leap days.
const PAST: SignedDuration = SignedDuration::from_hours(3653 * 24);
/// The 24 hours of Cloud Logging, and one hour for clocks that differ.
const FUTURE: SignedDuration = SignedDuration::from_hours(25);

/// An event's time is out of range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    #[error("the event's time, {0}, is more than ten years ago")]
    Past(Timestamp),
    #[error("the event's time, {0}, is more than 25 hours ahead")]
    Future(Timestamp),
}

/// Checks the time of an event whose message arrived at `now`.
pub fn check(time: Timestamp, now: Timestamp) -> Result<(), OutOfBounds> {
    let ahead = time.duration_since(now);
    if ahead > FUTURE {
        Err(OutOfBounds::Future(time))
    } else if ahead < -PAST {
        Err(OutOfBounds::Past(time))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(time: &str) -> Result<(), OutOfBounds> {
        check(time.parse().unwrap(), "2026-01-02T03:04:05Z".parse().unwrap())
    }

    #[test]
    fn the_range_is_ten_years_back_and_25_hours_ahead() {
        for time in ["2016-01-02T03:04:05Z", "2025-12-31T00:00:00Z", "2026-01-02T03:04:05.5Z", "2026-01-03T04:04:05Z"] {
            assert_eq!(verdict(time), Ok(()), "{time}");
        }
        for time in ["2015-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(verdict(time), Err(OutOfBounds::Past(time.parse().unwrap())), "{time}");
        }
        for time in ["2026-01-03T04:04:05.000000001Z", "2027-01-02T03:04:05Z", "9999-12-30T22:00:00Z"] {
            assert_eq!(verdict(time), Err(OutOfBounds::Future(time.parse().unwrap())), "{time}");
        }
    }

    /// The clock of the machine can have any time.
    #[test]
    fn any_two_times_can_be_compared() {
        assert!(check(Timestamp::MIN, Timestamp::MAX).is_err() && check(Timestamp::MAX, Timestamp::MIN).is_err());
    }
}
