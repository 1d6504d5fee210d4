//! `EXTRACT(part FROM value [AT TIME ZONE zone])`, called as `$extract('PART', value[, zone])`.

use std::str::FromStr;

use datafusion::arrow::datatypes::IntervalMonthDayNano;
use jiff::civil::{Date as CivilDate, Weekday};

use super::super::Function;
use super::super::adapter::scalar_with_date_part;
use super::super::column::{Date, Datetime, Int64, Interval, Parsed, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::date_part::DatePart;
use super::range::{checked_date, checked_timestamp};
use super::zone::Zone;
use crate::civil_time::{self, MICROS_OF_DAY, day_of};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar_with_date_part(
        "$extract",
        0,
        vec![
            Overload::binary::<Text, Datetime, Date, _>(|_, micros| day_of(micros)).when_first_is("DATE"),
            Overload::binary::<Text, Timestamp, Date, _>(|_, micros| day_of(micros)).when_first_is("DATE"),
            Overload::ternary::<Text, Timestamp, Parsed<Zone>, Date, _>(|_, micros, zone| {
                checked_date(Some(i64::from(day_of(zone.civil(micros)))), "EXTRACT")
            })
            .when_first_is("DATE"),
            Overload::binary::<Text, Datetime, Time, _>(|_, micros| micros.rem_euclid(MICROS_OF_DAY)).when_first_is("TIME"),
            Overload::binary::<Text, Timestamp, Time, _>(|_, micros| micros.rem_euclid(MICROS_OF_DAY)).when_first_is("TIME"),
            Overload::ternary::<Text, Timestamp, Parsed<Zone>, Time, _>(|_, micros, zone| zone.civil(micros).rem_euclid(MICROS_OF_DAY))
                .when_first_is("TIME"),
            Overload::binary::<Text, Timestamp, Datetime, _>(|_, micros| micros).when_first_is("DATETIME"),
            Overload::ternary::<Text, Timestamp, Parsed<Zone>, Datetime, _>(|_, micros, zone| {
                checked_timestamp(Some(zone.civil(micros)), "EXTRACT")
            })
            .when_first_is("DATETIME"),
            Overload::binary::<Parsed<ExtractPart>, Date, Int64, _>(|part, days| part.of_date(days)),
            Overload::binary::<Parsed<ExtractPart>, Datetime, Int64, _>(|part, micros| part.of_datetime(micros)),
            Overload::binary::<Parsed<ExtractPart>, Timestamp, Int64, _>(|part, micros| part.of_datetime(micros)),
            Overload::ternary::<Parsed<ExtractPart>, Timestamp, Parsed<Zone>, Int64, _>(|part, micros, zone| {
                part.of_datetime(zone.civil(micros))
            }),
            Overload::binary::<Parsed<ExtractPart>, Time, Int64, _>(|part, micros| part.of_time(micros)),
            Overload::binary::<Parsed<ExtractPart>, Interval, Int64, _>(|part, interval| part.of_interval(interval)),
        ],
    )]
}

/// A date part whose value is an INT64.
#[derive(Clone, Copy, Debug)]
enum ExtractPart {
    DatePart(DatePart),
    DayOfWeek,
    DayOfYear,
}

impl FromStr for ExtractPart {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<ExtractPart, FunctionError> {
        Ok(match text {
            "DAYOFWEEK" => ExtractPart::DayOfWeek,
            "DAYOFYEAR" => ExtractPart::DayOfYear,
            part => ExtractPart::DatePart(part.parse()?),
        })
    }
}

impl ExtractPart {
    fn unsupported(self, kind: &str) -> FunctionError {
        let part = match self {
            ExtractPart::DatePart(part) => part.to_string(),
            ExtractPart::DayOfWeek => "DAYOFWEEK".to_owned(),
            ExtractPart::DayOfYear => "DAYOFYEAR".to_owned(),
        };
        FunctionError::new(format!("EXTRACT from {kind} does not support the {part} date part"))
    }

    fn of_date(self, days: i32) -> Result<i64, FunctionError> {
        let date = civil_time::date(days);
        Ok(match self {
            ExtractPart::DayOfWeek => i64::from(date.weekday().to_sunday_one_offset()),
            ExtractPart::DayOfYear => i64::from(date.day_of_year()),
            ExtractPart::DatePart(part) => match part {
                DatePart::Day => i64::from(date.day()),
                DatePart::IsoWeek => i64::from(date.iso_week_date().week()),
                DatePart::Week(week_start) => week(date, week_start),
                DatePart::Month => i64::from(date.month()),
                DatePart::Quarter => i64::from((date.month() + 2) / 3),
                DatePart::Year => i64::from(date.year()),
                DatePart::IsoYear => i64::from(date.iso_week_date().year()),
                DatePart::Hour | DatePart::Minute | DatePart::Second | DatePart::Millisecond | DatePart::Microsecond => {
                    return Err(self.unsupported("DATE"));
                }
            },
        })
    }

    fn of_datetime(self, micros: i64) -> Result<i64, FunctionError> {
        match self {
            ExtractPart::DatePart(part) if part.micros().is_some() => self.of_time(micros.rem_euclid(MICROS_OF_DAY)),
            _ => self.of_date(day_of(micros)),
        }
    }

    fn of_time(self, micros: i64) -> Result<i64, FunctionError> {
        Ok(match self {
            ExtractPart::DatePart(DatePart::Hour) => micros / 3_600_000_000,
            ExtractPart::DatePart(DatePart::Minute) => micros / 60_000_000 % 60,
            ExtractPart::DatePart(DatePart::Second) => micros / 1_000_000 % 60,
            ExtractPart::DatePart(DatePart::Millisecond) => micros / 1_000 % 1_000,
            ExtractPart::DatePart(DatePart::Microsecond) => micros % 1_000_000,
            _ => return Err(self.unsupported("TIME")),
        })
    }

    fn of_interval(self, interval: IntervalMonthDayNano) -> Result<i64, FunctionError> {
        let micros = interval.nanoseconds / 1_000;
        Ok(match self {
            ExtractPart::DatePart(DatePart::Year) => i64::from(interval.months / 12),
            ExtractPart::DatePart(DatePart::Month) => i64::from(interval.months % 12),
            ExtractPart::DatePart(DatePart::Day) => i64::from(interval.days),
            ExtractPart::DatePart(DatePart::Hour | DatePart::Minute | DatePart::Second | DatePart::Millisecond | DatePart::Microsecond) => {
                return self.of_time(micros);
            }
            _ => return Err(self.unsupported("INTERVAL")),
        })
    }
}

/// Returns the week of the year. The days before the first `week_start` are in week 0.
pub(crate) fn week(date: CivilDate, week_start: Weekday) -> i64 {
    let days_since_start = i64::from(date.weekday().since(week_start));
    (i64::from(date.day_of_year()) - 1 + 7 - days_since_start) / 7
}
