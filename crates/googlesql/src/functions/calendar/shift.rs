//! `DATE_ADD`, `DATE_SUB` and their sisters. Their `INTERVAL n part` arrives as an INTERVAL.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Datetime, Interval, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::interval;
use super::range::{in_calendar, in_time};
use crate::civil_time::MICROS_OF_DAY;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("date_add", vec![dates("DATE_ADD", forwards), datetimes("DATE_ADD", forwards), timestamps("DATE_ADD", forwards)]),
        scalar(
            "date_sub",
            vec![dates("DATE_SUB", interval::negated), datetimes("DATE_SUB", interval::negated), timestamps("DATE_SUB", interval::negated)],
        ),
        scalar("datetime_add", vec![datetimes("DATETIME_ADD", forwards), timestamps("DATETIME_ADD", forwards)]),
        scalar("datetime_sub", vec![datetimes("DATETIME_SUB", interval::negated), timestamps("DATETIME_SUB", interval::negated)]),
        scalar("timestamp_add", vec![timestamps("TIMESTAMP_ADD", forwards), datetimes("TIMESTAMP_ADD", forwards)]),
        scalar("timestamp_sub", vec![timestamps("TIMESTAMP_SUB", interval::negated), datetimes("TIMESTAMP_SUB", interval::negated)]),
        scalar("time_add", vec![times("TIME_ADD", forwards)]),
        scalar("time_sub", vec![times("TIME_SUB", interval::negated)]),
    ]
}

/// The interval as it shall be added.
type Direction = fn(IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError>;

fn forwards(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    Ok(interval)
}

fn dates(function: &'static str, direction: Direction) -> Overload {
    Overload::binary::<Date, Interval, Date, _>(move |days, interval| shift_date(days, direction(interval)?, function))
}

fn datetimes(function: &'static str, direction: Direction) -> Overload {
    Overload::binary::<Datetime, Interval, Datetime, _>(move |micros, interval| {
        in_time(interval::later(micros, direction(interval)?), function)
    })
}

fn timestamps(function: &'static str, direction: Direction) -> Overload {
    Overload::binary::<Timestamp, Interval, Timestamp, _>(move |micros, interval| shift_timestamp(micros, direction(interval)?, function))
}

/// A time of day goes round.
fn times(function: &'static str, direction: Direction) -> Overload {
    Overload::binary::<Time, Interval, Time, _>(move |micros, interval| {
        let interval = direction(interval)?;
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
    let micros = interval::later(i64::from(days) * MICROS_OF_DAY, interval);
    in_calendar(micros.map(|micros| micros / MICROS_OF_DAY), function)
}

pub(crate) fn shift_timestamp(micros: i64, interval: IntervalMonthDayNano, function: &str) -> Result<i64, FunctionError> {
    // A month's length depends on the zone, which a timestamp does not have.
    if interval.months != 0 {
        return Err(FunctionError::new(format!(
            "{function} does not support date parts longer than DAY when the argument is TIMESTAMP type"
        )));
    }
    in_time(interval::later(micros, interval), function)
}
