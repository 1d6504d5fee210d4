//! Which times an event may have, seen from the moment at which its message came.
//!
//! Cloud Logging takes no entry from more than 24 hours ahead, and keeps none for more than 3,650 days
//! (<https://cloud.google.com/logging/quotas#log-limits>). A table that is partitioned by `event_timestamp` takes
//! streamed rows of the past ten years and the coming one
//! (<https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#time-unit_column_partitioning>). So what is
//! further away was forged, or comes from a clock that is wrong, and its row would be refused or make a table of a
//! day that nobody looks at. An archive of ten years can still be replayed.

use jiff::{SignedDuration, Timestamp};

/// Ten years, with their leap days.
const PAST: SignedDuration = SignedDuration::from_hours(3653 * 24);
/// The 24 hours, and one for clocks that differ.
const FUTURE: SignedDuration = SignedDuration::from_hours(25);

/// An event's time is too far away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    #[error("the event's time, {0}, is more than ten years ago")]
    Past(Timestamp),
    #[error("the event's time, {0}, is more than 25 hours ahead")]
    Future(Timestamp),
}

/// Whether an event of that time, whose message came at `now`, can be stored.
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
    fn ten_years_and_twenty_five_hours_are_the_bounds() {
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

    /// The clock of a machine may be anywhere.
    #[test]
    fn no_two_times_are_too_far_apart_to_be_compared() {
        assert!(check(Timestamp::MIN, Timestamp::MAX).is_err() && check(Timestamp::MAX, Timestamp::MIN).is_err());
    }
}
