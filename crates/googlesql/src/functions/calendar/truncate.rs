//! `DATE_TRUNC`, `DATETIME_TRUNC`, `TIMESTAMP_TRUNC`, `TIME_TRUNC` and `LAST_DAY`.

use jiff::civil::{Date as CivilDate, ISOWeekDate, Weekday};

use super::super::Function;
use super::super::adapter::scalar_with_date_part;
use super::super::column::{Date, Datetime, Parsed, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::date_part::DatePart;
use super::range::{checked_date, checked_timestamp};
use super::zone::Zone;
use crate::civil_time::{self, MICROS_OF_DAY};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let dates = || Overload::binary::<Date, Parsed<DatePart>, Date, _>(|days, part| truncate_date(days, *part, "DATE_TRUNC"));
    let datetimes =
        || Overload::binary::<Datetime, Parsed<DatePart>, Datetime, _>(|micros, part| truncate(micros, *part, "DATETIME_TRUNC"));
    let timestamps =
        || Overload::binary::<Timestamp, Parsed<DatePart>, Timestamp, _>(|micros, part| truncate(micros, *part, "TIMESTAMP_TRUNC"));
    let zoned = || {
        Overload::ternary::<Timestamp, Parsed<DatePart>, Parsed<Zone>, Timestamp, _>(|micros, part, zone| {
            truncate_in_zone(micros, *part, zone)
        })
    };
    vec![
        scalar_with_date_part("date_trunc", 1, vec![dates(), datetimes(), timestamps(), zoned()]),
        scalar_with_date_part("datetime_trunc", 1, vec![datetimes(), timestamps(), zoned()]),
        scalar_with_date_part("timestamp_trunc", 1, vec![timestamps(), zoned(), datetimes()]),
        scalar_with_date_part(
            "time_trunc",
            1,
            vec![Overload::binary::<Time, Parsed<DatePart>, Time, _>(|micros, part| {
                let unit = part.micros().ok_or_else(|| part.unsupported("TIME_TRUNC"))?;
                Ok(micros - micros % unit)
            })],
        ),
        scalar_with_date_part(
            "last_day",
            1,
            vec![
                Overload::unary::<Date, Date, _>(|days| last_day(days, DatePart::Month)),
                Overload::binary::<Date, Parsed<DatePart>, Date, _>(|days, part| last_day(days, *part)),
                Overload::unary::<Datetime, Date, _>(|micros| last_day(civil_time::day_of(micros), DatePart::Month)),
                Overload::binary::<Datetime, Parsed<DatePart>, Date, _>(|micros, part| last_day(civil_time::day_of(micros), *part)),
            ],
        ),
    ]
}

/// Returns the first day of the part. `function` appears in error messages.
pub(crate) fn truncate_date(days: i32, part: DatePart, function: &str) -> Result<i32, FunctionError> {
    let first = match part {
        DatePart::Day => return Ok(days),
        DatePart::Week(week_start) => i64::from(days) - i64::from(days_since(week_start, days)),
        DatePart::IsoWeek => i64::from(days) - i64::from(days_since(Weekday::Monday, days)),
        DatePart::Month => i64::from(civil_time::days(civil_time::date(days).first_of_month())),
        DatePart::Quarter => i64::from(civil_time::days(first_of_quarter(civil_time::date(days)))),
        DatePart::Year => i64::from(civil_time::days(civil_time::date(days).first_of_year())),
        DatePart::IsoYear => {
            let year = civil_time::date(days).iso_week_date().year();
            let first = ISOWeekDate::new(year, 1, Weekday::Monday).map_err(|_| part.unsupported(function))?;
            i64::from(civil_time::days(first.date()))
        }
        DatePart::Microsecond | DatePart::Millisecond | DatePart::Second | DatePart::Minute | DatePart::Hour => {
            return Err(part.unsupported(function));
        }
    };
    checked_date(Some(first), function)
}

/// Returns the number of days since this day of the week, from 0.
fn days_since(weekday: Weekday, days: i32) -> i32 {
    // 1970-01-01 was a Thursday.
    (days + 4 - i32::from(weekday.to_sunday_zero_offset())).rem_euclid(7)
}

fn first_of_quarter(date: CivilDate) -> CivilDate {
    let month = (date.month() - 1) / 3 * 3 + 1;
    CivilDate::new(date.year(), month, 1).expect("every month has a first day")
}

/// Truncates civil microseconds to the part.
pub(crate) fn truncate(micros: i64, part: DatePart, function: &str) -> Result<i64, FunctionError> {
    match part.micros() {
        Some(unit) => Ok(micros - micros.rem_euclid(unit)),
        None => Ok(i64::from(truncate_date(civil_time::day_of(micros), part, function)?) * MICROS_OF_DAY),
    }
}

fn truncate_in_zone(timestamp: i64, part: DatePart, zone: &Zone) -> Result<i64, FunctionError> {
    let civil = zone.civil(timestamp);
    let truncated = truncate(civil, part, "TIMESTAMP_TRUNC")?;
    let result = match part.micros() {
        // Subtract a duration: conversion from civil time would map a repeated hour to its first occurrence.
        Some(_) => timestamp - (civil - truncated),
        None => zone.timestamp(truncated),
    };
    checked_timestamp(Some(result), "TIMESTAMP_TRUNC")
}

fn last_day(days: i32, part: DatePart) -> Result<i32, FunctionError> {
    let next = match part {
        DatePart::Week(_) | DatePart::IsoWeek => {
            // The week's first day can be out of range although its last day is in range.
            let week_start = if let DatePart::Week(week_start) = part { week_start } else { Weekday::Monday };
            Some(i64::from(days) - i64::from(days_since(week_start, days)) + 7)
        }
        DatePart::Month | DatePart::Quarter | DatePart::Year => {
            let months = match part {
                DatePart::Month => 1,
                DatePart::Quarter => 3,
                _ => 12,
            };
            let first = truncate_date(days, part, "LAST_DAY")?;
            let last_month = civil_time::add_months(i64::from(first) * MICROS_OF_DAY, months - 1);
            last_month.map(|micros| i64::from(civil_time::day_of(micros)) + i64::from(civil_time::datetime(micros).date().days_in_month()))
        }
        DatePart::IsoYear => {
            let date = civil_time::date(days).iso_week_date();
            let first = i64::from(truncate_date(days, part, "LAST_DAY")?);
            Some(first + if date.in_long_year() { 53 * 7 } else { 52 * 7 })
        }
        DatePart::Microsecond | DatePart::Millisecond | DatePart::Second | DatePart::Minute | DatePart::Hour | DatePart::Day => {
            return Err(part.unsupported("LAST_DAY"));
        }
    };
    checked_date(next.map(|next| next - 1), "LAST_DAY")
}
