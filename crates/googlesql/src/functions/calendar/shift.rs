//! `DATE_ADD`, `DATE_SUB` and the same functions of DATETIME, TIMESTAMP and TIME. The resolver passes
//! `INTERVAL n part` as an INTERVAL.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Datetime, Interval, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::interval;
use super::range::{checked_date, checked_timestamp};
use crate::civil_time::MICROS_OF_DAY;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("date_add", vec![dates("DATE_ADD", unchanged), datetimes("DATE_ADD", unchanged), timestamps("DATE_ADD", unchanged)]),
        scalar(
            "date_sub",
            vec![dates("DATE_SUB", interval::negate), datetimes("DATE_SUB", interval::negate), timestamps("DATE_SUB", interval::negate)],
        ),
        scalar("datetime_add", vec![datetimes("DATETIME_ADD", unchanged), timestamps("DATETIME_ADD", unchanged)]),
        scalar("datetime_sub", vec![datetimes("DATETIME_SUB", interval::negate), timestamps("DATETIME_SUB", interval::negate)]),
        scalar("timestamp_add", vec![timestamps("TIMESTAMP_ADD", unchanged), datetimes("TIMESTAMP_ADD", unchanged)]),
        scalar("timestamp_sub", vec![timestamps("TIMESTAMP_SUB", interval::negate), datetimes("TIMESTAMP_SUB", interval::negate)]),
        scalar("time_add", vec![times("TIME_ADD", unchanged)]),
        scalar("time_sub", vec![times("TIME_SUB", interval::negate)]),
    ]
}

/// Returns the interval to add.
type IntervalSign = fn(IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError>;

fn unchanged(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    Ok(interval)
}

fn dates(function: &'static str, signed: IntervalSign) -> Overload {
    Overload::binary::<Date, Interval, Date, _>(move |days, interval| shift_date(days, signed(interval)?, function))
}

fn datetimes(function: &'static str, signed: IntervalSign) -> Overload {
    Overload::binary::<Datetime, Interval, Datetime, _>(move |micros, interval| {
        checked_timestamp(interval::add_interval(micros, signed(interval)?), function)
    })
}

fn timestamps(function: &'static str, signed: IntervalSign) -> Overload {
    Overload::binary::<Timestamp, Interval, Timestamp, _>(move |micros, interval| shift_timestamp(micros, signed(interval)?, function))
}

/// A TIME wraps around at midnight.
fn times(function: &'static str, signed: IntervalSign) -> Overload {
    Overload::binary::<Time, Interval, Time, _>(move |micros, interval| {
        let interval = signed(interval)?;
        match (interval.months, interval.days) {
            (0, 0) => Ok((micros + interval.nanoseconds / 1_000 % MICROS_OF_DAY).rem_euclid(MICROS_OF_DAY)),
            _ => Err(FunctionError::new(format!("{function} does not support date parts longer than HOUR"))),
        }
    })
}

fn shift_date(days: i32, interval: IntervalMonthDayNano, function: &str) -> Result<i32, FunctionError> {
    if interval.nanoseconds != 0 {
        return Err(FunctionError::new(format!("{function} does not support date parts shorter than DAY when the argument is DATE type")));
    }
    let micros = interval::add_interval(i64::from(days) * MICROS_OF_DAY, interval);
    checked_date(micros.map(|micros| micros / MICROS_OF_DAY), function)
}

pub(crate) fn shift_timestamp(micros: i64, interval: IntervalMonthDayNano, function: &str) -> Result<i64, FunctionError> {
    // The length of a month depends on the time zone, and a timestamp has none.
    if interval.months != 0 {
        return Err(FunctionError::new(format!(
            "{function} does not support date parts longer than DAY when the argument is TIMESTAMP type"
        )));
    }
    checked_timestamp(interval::add_interval(micros, interval), function)
}
