//! `DATE(…)`, `DATETIME(…)`, `TIME(…)`, `TIMESTAMP(…)` and `STRING(…)`.

use jiff::civil::{Date as CivilDate, Time as CivilTime};

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Datetime, Int64, Json, Parsed, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::range::{in_calendar, in_time};
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
                    in_calendar(Some(i64::from(day_of(zone.civil(micros)))), "DATE")
                }),
                Overload::unary::<Datetime, Date, _>(day_of),
                Overload::unary::<Date, Date, _>(|days| days),
                Overload::ternary::<Int64, Int64, Int64, Date, _>(date),
            ],
        ),
        scalar(
            "datetime",
            vec![
                Overload::unary::<Timestamp, Datetime, _>(|micros| micros),
                Overload::binary::<Timestamp, Parsed<Zone>, Datetime, _>(|micros, zone| in_time(Some(zone.civil(micros)), "DATETIME")),
                Overload::unary::<Date, Datetime, _>(|days| i64::from(days) * MICROS_OF_DAY),
                Overload::binary::<Date, Time, Datetime, _>(|days, micros| i64::from(days) * MICROS_OF_DAY + micros),
                Overload::unary::<Datetime, Datetime, _>(|micros| micros),
                Overload::senary::<Int64, Int64, Int64, Int64, Int64, Int64, Datetime, _>(|year, month, day, hour, minute, second| {
                    Ok(i64::from(date(year, month, day)?) * MICROS_OF_DAY + time(hour, minute, second)?)
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
                Overload::ternary::<Int64, Int64, Int64, Time, _>(time),
            ],
        ),
        scalar(
            "timestamp",
            vec![
                Overload::unary::<Text, Timestamp, _>(|written| text::read_timestamp(written, &Zone::UTC)),
                Overload::binary::<Text, Parsed<Zone>, Timestamp, _>(text::read_timestamp),
                Overload::unary::<Date, Timestamp, _>(|days| i64::from(days) * MICROS_OF_DAY),
                Overload::binary::<Date, Parsed<Zone>, Timestamp, _>(|days, zone| {
                    in_time(Some(zone.timestamp(i64::from(days) * MICROS_OF_DAY)), "TIMESTAMP")
                }),
                Overload::unary::<Datetime, Timestamp, _>(|micros| micros),
                Overload::binary::<Datetime, Parsed<Zone>, Timestamp, _>(|micros, zone| in_time(Some(zone.timestamp(micros)), "TIMESTAMP")),
                Overload::unary::<Timestamp, Timestamp, _>(|micros| micros),
            ],
        ),
        scalar(
            "string",
            vec![
                Overload::unary::<Timestamp, Text, _>(|micros| text::write_timestamp(micros, &Zone::UTC)),
                Overload::binary::<Timestamp, Parsed<Zone>, Text, _>(text::write_timestamp),
                Overload::unary::<Date, Text, _>(text::write_date),
                Overload::unary::<Time, Text, _>(text::write_time),
                Overload::unary::<Datetime, Text, _>(text::write_datetime),
                Overload::unary::<super::super::column::Interval, Text, _>(interval::text),
                Overload::unary::<Json, Text, _>(|json| {
                    serde_json::from_str::<String>(json).map_err(|_| FunctionError::new("The provided JSON input is not a string"))
                }),
            ],
        ),
    ]
}

fn date(year: i64, month: i64, day: i64) -> Result<i32, FunctionError> {
    let civil = || {
        let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
        CivilDate::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
    };
    civil()
        .map(civil_time::days)
        .ok_or_else(|| FunctionError::new(format!("Input calculates to invalid date: {year:04}-{month:02}-{day:02}")))
}

fn time(hour: i64, minute: i64, second: i64) -> Result<i64, FunctionError> {
    let civil = || CivilTime::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?, 0).ok();
    civil()
        .map(civil_time::micros_of_day)
        .ok_or_else(|| FunctionError::new(format!("Input calculates to invalid time: {hour:02}:{minute:02}:{second:02}")))
}
