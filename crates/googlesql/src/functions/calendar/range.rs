//! Results that leave the calendar are errors.

use super::super::function_error::FunctionError;
use crate::civil_time::{checked_days, checked_micros};

/// The days, or the error that the result of `operation` is outside of the calendar.
pub(crate) fn in_calendar(days: Option<i64>, operation: &str) -> Result<i32, FunctionError> {
    days.and_then(checked_days)
        .ok_or_else(|| FunctionError::new(format!("{operation} overflow: the date is not in 0001-01-01 to 9999-12-31")))
}

/// The microseconds, or the error that the result of `operation` is outside of the calendar.
pub(crate) fn in_time(micros: Option<i64>, operation: &str) -> Result<i64, FunctionError> {
    micros.and_then(checked_micros).ok_or_else(|| {
        FunctionError::new(format!("{operation} overflow: the result is not in 0001-01-01 00:00:00 to 9999-12-31 23:59:59.999999"))
    })
}
