//! `FORMAT_DATE`, `PARSE_DATE` and the same functions of DATETIME, TIME and TIMESTAMP.
//!
//! Format elements: <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time>.
//! jiff's strftime differs from BigQuery's in elements and in parsing, so this is hand-written.

mod parse;
mod pattern;
mod rest;
#[cfg(test)]
mod tests;
mod write;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Datetime, Parsed, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::zone::Zone;
use crate::civil_time::{self, MICROS_OF_DAY, day_of};
use parse::parse;
use pattern::StrftimePattern;
use write::FormattedValue;
pub(crate) use write::{MONTHS, WEEKDAYS};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let dates = || {
        Overload::binary::<Parsed<StrftimePattern>, Date, Text, _>(|pattern, days| {
            FormattedValue::Date(i64::from(days) * MICROS_OF_DAY).write(pattern)
        })
    };
    let datetimes = || {
        Overload::binary::<Parsed<StrftimePattern>, Datetime, Text, _>(|pattern, micros| FormattedValue::Datetime(micros).write(pattern))
    };
    let timestamps = || {
        Overload::binary::<Parsed<StrftimePattern>, Timestamp, Text, _>(|pattern, micros| {
            FormattedValue::timestamp(micros, &Zone::UTC).write(pattern)
        })
    };
    let zoned = || {
        Overload::ternary::<Parsed<StrftimePattern>, Timestamp, Parsed<Zone>, Text, _>(|pattern, micros, zone| {
            FormattedValue::timestamp(micros, zone).write(pattern)
        })
    };
    let parse_error = |text: &str| FunctionError::new(format!("Failed to parse input string \"{text}\""));
    vec![
        scalar("format_date", vec![dates(), datetimes(), timestamps(), zoned()]),
        scalar("format_datetime", vec![datetimes(), timestamps(), zoned()]),
        scalar("format_timestamp", vec![timestamps(), zoned(), datetimes()]),
        scalar(
            "format_time",
            vec![Overload::binary::<Parsed<StrftimePattern>, Time, Text, _>(|pattern, micros| FormattedValue::Time(micros).write(pattern))],
        ),
        scalar(
            "parse_date",
            vec![Overload::binary::<Parsed<StrftimePattern>, Text, Date, _>(move |pattern, text| {
                parse(pattern, text, &Zone::UTC).map(day_of).ok_or_else(|| parse_error(text))
            })],
        ),
        scalar(
            "parse_datetime",
            vec![Overload::binary::<Parsed<StrftimePattern>, Text, Datetime, _>(move |pattern, text| {
                parse(pattern, text, &Zone::UTC).ok_or_else(|| parse_error(text))
            })],
        ),
        scalar(
            "parse_time",
            vec![Overload::binary::<Parsed<StrftimePattern>, Text, Time, _>(move |pattern, text| {
                parse(pattern, text, &Zone::UTC).map(|micros| micros.rem_euclid(MICROS_OF_DAY)).ok_or_else(|| parse_error(text))
            })],
        ),
        scalar(
            "parse_timestamp",
            vec![
                Overload::binary::<Parsed<StrftimePattern>, Text, Timestamp, _>(move |pattern, text| {
                    parse(pattern, text, &Zone::UTC).ok_or_else(|| parse_error(text))
                }),
                Overload::ternary::<Parsed<StrftimePattern>, Text, Parsed<Zone>, Timestamp, _>(move |pattern, text, zone| {
                    parse(pattern, text, zone).and_then(civil_time::checked_micros).ok_or_else(|| parse_error(text))
                }),
            ],
        ),
    ]
}
