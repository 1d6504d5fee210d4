//! Arithmetic on dates, datetimes, timestamps and intervals.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::super::calendar::interval::{add_interval, build_interval, difference, negate as negate_interval};
use super::super::calendar::range::{checked_date, checked_timestamp};
use super::super::calendar::shift::shift_timestamp;
use super::super::column::{Date, Datetime, Int64, Interval, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::division_by_zero;
use crate::civil_time::MICROS_OF_DAY;

pub(crate) fn add() -> Vec<Overload> {
    vec![
        Overload::binary::<Date, Int64, Date, _>(add_days),
        Overload::binary::<Int64, Date, Date, _>(|count, days| add_days(days, count)),
        Overload::binary::<Timestamp, Interval, Timestamp, _>(|micros, interval| shift_timestamp(micros, interval, "Addition")),
        Overload::binary::<Interval, Timestamp, Timestamp, _>(|interval, micros| shift_timestamp(micros, interval, "Addition")),
        Overload::binary::<Date, Interval, Datetime, _>(|days, interval| shift_datetime(i64::from(days) * MICROS_OF_DAY, interval)),
        Overload::binary::<Interval, Date, Datetime, _>(|interval, days| shift_datetime(i64::from(days) * MICROS_OF_DAY, interval)),
        Overload::binary::<Datetime, Interval, Datetime, _>(shift_datetime),
        Overload::binary::<Interval, Datetime, Datetime, _>(|interval, micros| shift_datetime(micros, interval)),
        Overload::binary::<Interval, Interval, Interval, _>(add_intervals),
    ]
}

pub(crate) fn subtract() -> Vec<Overload> {
    vec![
        Overload::binary::<Date, Int64, Date, _>(|days, count| checked_date(i64::from(days).checked_sub(count), "DATE subtraction")),
        Overload::binary::<Date, Date, Interval, _>(|end, start| build_interval(Some(0), Some(i64::from(end) - i64::from(start)), 0)),
        Overload::binary::<Timestamp, Timestamp, Interval, _>(difference),
        Overload::binary::<Datetime, Datetime, Interval, _>(difference),
        Overload::binary::<Timestamp, Interval, Timestamp, _>(|micros, interval| {
            shift_timestamp(micros, negate_interval(interval)?, "Subtraction")
        }),
        Overload::binary::<Date, Interval, Datetime, _>(|days, interval| {
            shift_datetime(i64::from(days) * MICROS_OF_DAY, negate_interval(interval)?)
        }),
        Overload::binary::<Datetime, Interval, Datetime, _>(|micros, interval| shift_datetime(micros, negate_interval(interval)?)),
        Overload::binary::<Interval, Interval, Interval, _>(|a, b| add_intervals(a, negate_interval(b)?)),
    ]
}

pub(crate) fn multiply() -> Vec<Overload> {
    vec![
        Overload::binary::<Interval, Int64, Interval, _>(multiply_interval),
        Overload::binary::<Int64, Interval, Interval, _>(|n, a| multiply_interval(a, n)),
    ]
}

pub(crate) fn divide() -> Vec<Overload> {
    vec![Overload::binary::<Interval, Int64, Interval, _>(divide_interval)]
}

pub(crate) fn negate() -> Vec<Overload> {
    vec![Overload::unary::<Interval, Interval, _>(negate_interval)]
}

fn add_days(days: i32, count: i64) -> Result<i32, FunctionError> {
    checked_date(i64::from(days).checked_add(count), "DATE addition")
}

fn shift_datetime(micros: i64, interval: IntervalMonthDayNano) -> Result<i64, FunctionError> {
    checked_timestamp(add_interval(micros, interval), "DATETIME addition")
}

fn add_intervals(a: IntervalMonthDayNano, b: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    build_interval(
        Some(i64::from(a.months) + i64::from(b.months)),
        Some(i64::from(a.days) + i64::from(b.days)),
        i128::from(a.nanoseconds) + i128::from(b.nanoseconds),
    )
}

fn multiply_interval(a: IntervalMonthDayNano, count: i64) -> Result<IntervalMonthDayNano, FunctionError> {
    build_interval(
        i64::from(a.months).checked_mul(count),
        i64::from(a.days).checked_mul(count),
        i128::from(a.nanoseconds) * i128::from(count),
    )
}

/// Divides and carries remainders: a month becomes 30 days, a day becomes 24 hours.
fn divide_interval(a: IntervalMonthDayNano, count: i64) -> Result<IntervalMonthDayNano, FunctionError> {
    if count == 0 {
        return Err(division_by_zero("INTERVAL / 0".to_owned()));
    }
    let (months, days) = (i64::from(a.months), i64::from(a.days));
    let days = months % count * 30 + days;
    let micros = i128::from(days % count) * i128::from(MICROS_OF_DAY) + i128::from(a.nanoseconds / 1_000);
    build_interval(Some(months / count), Some(days / count), micros / i128::from(count) * 1_000)
}
