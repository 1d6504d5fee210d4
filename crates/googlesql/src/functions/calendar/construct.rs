//! The constructors `DATE(…)`, `DATETIME(…)`, `TIME(…)` and `TIMESTAMP(…)`, and `STRING(…)`.

use jiff::civil::{Date as CivilDate, Time as CivilTime};

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Datetime, Int64, Json, Parsed, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::range::{checked_date, checked_timestamp};
use super::zone::Zone;
use super::{interval, text};
use crate::civil_time::{self, MICROS_OF_DAY, day_of};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "date",
            vec![
                Overload::unary::<Timestamp, Date, _>(day_of),
                Overload::binary::<Timestamp, Parsed<Zone>, Date, _>(|micros, zone| {
                    checked_date(Some(i64::from(day_of(zone.civil(micros)))), "DATE")
                }),
                Overload::unary::<Datetime, Date, _>(day_of),
                Overload::unary::<Date, Date, _>(|days| days),
                Overload::ternary::<Int64, Int64, Int64, Date, _>(build_date),
            ],
        ),
        scalar(
            "datetime",
            vec![
                Overload::unary::<Timestamp, Datetime, _>(|micros| micros),
                Overload::binary::<Timestamp, Parsed<Zone>, Datetime, _>(|micros, zone| {
                    checked_timestamp(Some(zone.civil(micros)), "DATETIME")
                }),
                Overload::unary::<Date, Datetime, _>(|days| i64::from(days) * MICROS_OF_DAY),
                Overload::binary::<Date, Time, Datetime, _>(|days, micros| i64::from(days) * MICROS_OF_DAY + micros),
                Overload::unary::<Datetime, Datetime, _>(|micros| micros),
                Overload::senary::<Int64, Int64, Int64, Int64, Int64, Int64, Datetime, _>(|year, month, day, hour, minute, second| {
                    Ok(i64::from(build_date(year, month, day)?) * MICROS_OF_DAY + build_time(hour, minute, second)?)
                }),
            ],
        ),
        scalar(
            "time",
            vec![
                Overload::unary::<Timestamp, Time, _>(|micros| micros.rem_euclid(MICROS_OF_DAY)),
                Overload::binary::<Timestamp, Parsed<Zone>, Time, _>(|micros, zone| zone.civil(micros).rem_euclid(MICROS_OF_DAY)),
                Overload::unary::<Datetime, Time, _>(|micros| micros.rem_euclid(MICROS_OF_DAY)),
                Overload::unary::<Time, Time, _>(|micros| micros),
                Overload::ternary::<Int64, Int64, Int64, Time, _>(build_time),
            ],
        ),
        scalar(
            "timestamp",
            vec![
                Overload::unary::<Text, Timestamp, _>(|text| text::parse_timestamp(text, &Zone::UTC)),
                Overload::binary::<Text, Parsed<Zone>, Timestamp, _>(text::parse_timestamp),
                Overload::unary::<Date, Timestamp, _>(|days| i64::from(days) * MICROS_OF_DAY),
                Overload::binary::<Date, Parsed<Zone>, Timestamp, _>(|days, zone| {
                    checked_timestamp(Some(zone.timestamp(i64::from(days) * MICROS_OF_DAY)), "TIMESTAMP")
                }),
                Overload::unary::<Datetime, Timestamp, _>(|micros| micros),
                Overload::binary::<Datetime, Parsed<Zone>, Timestamp, _>(|micros, zone| {
                    checked_timestamp(Some(zone.timestamp(micros)), "TIMESTAMP")
                }),
                Overload::unary::<Timestamp, Timestamp, _>(|micros| micros),
            ],
        ),
        scalar(
            "string",
            vec![
                Overload::unary::<Timestamp, Text, _>(|micros| text::format_timestamp(micros, &Zone::UTC)),
                Overload::binary::<Timestamp, Parsed<Zone>, Text, _>(text::format_timestamp),
                Overload::unary::<Date, Text, _>(text::format_date),
                Overload::unary::<Time, Text, _>(text::format_time),
                Overload::unary::<Datetime, Text, _>(text::format_datetime),
                Overload::unary::<super::super::column::Interval, Text, _>(interval::format_interval),
                Overload::unary::<Json, Text, _>(|json| {
                    serde_json::from_str::<String>(json).map_err(|_| FunctionError::new("The provided JSON input is not a string"))
                }),
            ],
        ),
    ]
}

fn build_date(year: i64, month: i64, day: i64) -> Result<i32, FunctionError> {
    let civil = || {
        let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        CivilDate::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    civil()
        .map(civil_time::days)
        .ok_or_else(|| FunctionError::new(format!("Input calculates to invalid date: {year:04}-{month:02}-{day:02}")))
}

fn build_time(hour: i64, minute: i64, second: i64) -> Result<i64, FunctionError> {
    let civil = || CivilTime::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0).ok();
    civil()
        .map(civil_time::micros_of_day)
        .ok_or_else(|| FunctionError::new(format!("Input calculates to invalid time: {hour:02}:{minute:02}:{second:02}")))
}
