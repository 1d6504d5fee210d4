//! Dates and days, moments and intervals.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::super::calendar::interval::{between, exact, later, negated};
use super::super::calendar::range::{in_calendar, in_time};
use super::super::calendar::shift::shift_timestamp;
use super::super::column::{Date, Datetime, Int64, Interval, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::division_by_zero;
use crate::civil_time::MICROS_OF_DAY;

pub(crate) fn add() -> Vec<Overload> {
    vec![
        Overload::binary::<Date, Int64, Date, _>(days_later),
        Overload::binary::<Int64, Date, Date, _>(|count, days| days_later(days, count)),
        Overload::binary::<Timestamp, Interval, Timestamp, _>(|micros, interval| shift_timestamp(micros, interval, "Addition")),
        Overload::binary::<Interval, Timestamp, Timestamp, _>(|interval, micros| shift_timestamp(micros, interval, "Addition")),
        Overload::binary::<Date, Interval, Datetime, _>(|days, interval| moved(i64::from(days) * MICROS_OF_DAY, interval)),
        Overload::binary::<Interval, Date, Datetime, _>(|interval, days| moved(i64::from(days) * MICROS_OF_DAY, interval)),
        Overload::binary::<Datetime, Interval, Datetime, _>(moved),
        Overload::binary::<Interval, Datetime, Datetime, _>(|interval, micros| moved(micros, interval)),
        Overload::binary::<Interval, Interval, Interval, _>(sum),
    ]
}

pub(crate) fn subtract() -> Vec<Overload> {
    vec![
        Overload::binary::<Date, Int64, Date, _>(|days, count| in_calendar(i64::from(days).checked_sub(count), "DATE subtraction")),
        Overload::binary::<Date, Date, Interval, _>(|end, start| exact(Some(0), Some(i64::from(end) - i64::from(start)), 0)),
        Overload::binary::<Timestamp, Timestamp, Interval, _>(between),
        Overload::binary::<Datetime, Datetime, Interval, _>(between),
        Overload::binary::<Timestamp, Interval, Timestamp, _>(|micros, interval| {
            shift_timestamp(micros, negated(interval)?, "Subtraction")
        }),
        Overload::binary::<Date, Interval, Datetime, _>(|days, interval| moved(i64::from(days) * MICROS_OF_DAY, negated(interval)?)),
        Overload::binary::<Datetime, Interval, Datetime, _>(|micros, interval| moved(micros, negated(interval)?)),
        Overload::binary::<Interval, Interval, Interval, _>(|a, b| sum(a, negated(b)?)),
    ]
}

pub(crate) fn multiply() -> Vec<Overload> {
    vec![Overload::binary::<Interval, Int64, Interval, _>(times), Overload::binary::<Int64, Interval, Interval, _>(|n, a| times(a, n))]
}

pub(crate) fn divide() -> Vec<Overload> {
    vec![Overload::binary::<Interval, Int64, Interval, _>(parted)]
}

pub(crate) fn negate() -> Vec<Overload> {
    vec![Overload::unary::<Interval, Interval, _>(negated)]
}

fn days_later(days: i32, count: i64) -> Result<i32, FunctionError> {
    in_calendar(i64::from(days).checked_add(count), "DATE addition")
}

fn moved(micros: i64, interval: IntervalMonthDayNano) -> Result<i64, FunctionError> {
    in_time(later(micros, interval), "DATETIME addition")
}

fn sum(a: IntervalMonthDayNano, b: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    exact(
        Some(i64::from(a.months) + i64::from(b.months)),
        Some(i64::from(a.days) + i64::from(b.days)),
        i128::from(a.nanoseconds) + i128::from(b.nanoseconds),
    )
}

fn times(a: IntervalMonthDayNano, count: i64) -> Result<IntervalMonthDayNano, FunctionError> {
    exact(i64::from(a.months).checked_mul(count), i64::from(a.days).checked_mul(count), i128::from(a.nanoseconds) * i128::from(count))
}

/// What does not divide goes down: months become days of a thirtieth, days hours.
fn parted(a: IntervalMonthDayNano, count: i64) -> Result<IntervalMonthDayNano, FunctionError> {
    if count == 0 {
        return Err(division_by_zero("INTERVAL / 0".to_owned()));
    }
    let (months, days) = (i64::from(a.months), i64::from(a.days));
    let days = months % count * 30 + days;
    let micros = i128::from(days % count) * i128::from(MICROS_OF_DAY) + i128::from(a.nanoseconds / 1_000);
    exact(Some(months / count), Some(days / count), micros / i128::from(count) * 1_000)
}
