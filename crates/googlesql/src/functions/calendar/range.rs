//! Range checks: results outside the supported calendar are errors.

use super::super::function_error::FunctionError;
use crate::civil_time::{checked_days, checked_micros};

/// Returns the days, or an error if the result of `operation` is out of range.
pub(crate) fn checked_date(days: Option<i64>, operation: &str) -> Result<i32, FunctionError> {
    days.and_then(checked_days)
        .ok_or_else(|| FunctionError::new(format!("{operation} overflow: the date is not in 0001-01-01 to 9999-12-31")))
}

/// Returns the microseconds, or an error if the result of `operation` is out of range.
pub(crate) fn checked_timestamp(micros: Option<i64>, operation: &str) -> Result<i64, FunctionError> {
    micros.and_then(checked_micros).ok_or_else(|| {
        FunctionError::new(format!("{operation} overflow: the result is not in 0001-01-01 00:00:00 to 9999-12-31 23:59:59.999999"))
    })
}
