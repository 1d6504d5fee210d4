//! `EXTRACT(part FROM value [AT TIME ZONE zone])`, which arrives as `$extract('PART', value[, zone])`.

use std::str::FromStr;

use datafusion::arrow::datatypes::IntervalMonthDayNano;
use jiff::civil::{Date as CivilDate, Weekday};

use super::super::Function;
use super::super::adapter::scalar_with_part;
use super::super::column::{Date, Datetime, Int64, Interval, Parsed, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::part::DatePart;
use super::range::{in_calendar, in_time};
use super::zone::Zone;
use crate::civil_time::{self, MICROS_OF_DAY, day_of};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar_with_part(
        "$extract",
        0,
        vec![
            Overload::binary::<Text, Datetime, Date, _>(|_, micros| day_of(micros)).if_first_is("DATE"),
            Overload::binary::<Text, Timestamp, Date, _>(|_, micros| day_of(micros)).if_first_is("DATE"),
            Overload::ternary::<Text, Timestamp, Parsed<Zone>, Date, _>(|_, micros, zone| {
                in_calendar(Some(i64::from(day_of(zone.civil(micros)))), "EXTRACT")
            })
            .if_first_is("DATE"),
            Overload::binary::<Text, Datetime, Time, _>(|_, micros| micros.rem_euclid(MICROS_OF_DAY)).if_first_is("TIME"),
            Overload::binary::<Text, Timestamp, Time, _>(|_, micros| micros.rem_euclid(MICROS_OF_DAY)).if_first_is("TIME"),
            Overload::ternary::<Text, Timestamp, Parsed<Zone>, Time, _>(|_, micros, zone| zone.civil(micros).rem_euclid(MICROS_OF_DAY))
                .if_first_is("TIME"),
            Overload::binary::<Text, Timestamp, Datetime, _>(|_, micros| micros).if_first_is("DATETIME"),
            Overload::ternary::<Text, Timestamp, Parsed<Zone>, Datetime, _>(|_, micros, zone| in_time(Some(zone.civil(micros)), "EXTRACT"))
                .if_first_is("DATETIME"),
            Overload::binary::<Parsed<Field>, Date, Int64, _>(|field, days| field.of_date(days)),
            Overload::binary::<Parsed<Field>, Datetime, Int64, _>(|field, micros| field.of_datetime(micros)),
            Overload::binary::<Parsed<Field>, Timestamp, Int64, _>(|field, micros| field.of_datetime(micros)),
            Overload::ternary::<Parsed<Field>, Timestamp, Parsed<Zone>, Int64, _>(|field, micros, zone| {
                field.of_datetime(zone.civil(micros))
            }),
            Overload::binary::<Parsed<Field>, Time, Int64, _>(|field, micros| field.of_time(micros)),
            Overload::binary::<Parsed<Field>, Interval, Int64, _>(|field, interval| field.of_interval(interval)),
        ],
    )]
}

/// What EXTRACT can be asked for as an INT64.
#[derive(Clone, Copy, Debug)]
enum Field {
    DatePart(DatePart),
    DayOfWeek,
    DayOfYear,
}

impl FromStr for Field {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Field, FunctionError> {
        Ok(match text {
            "DAYOFWEEK" => Field::DayOfWeek,
            "DAYOFYEAR" => Field::DayOfYear,
            part => Field::DatePart(part.parse()?),
        })
    }
}

impl Field {
    fn unsupported(self, kind: &str) -> FunctionError {
        let field = match self {
            Field::DatePart(part) => part.to_string(),
            Field::DayOfWeek => "DAYOFWEEK".to_owned(),
            Field::DayOfYear => "DAYOFYEAR".to_owned(),
        };
        FunctionError::new(format!("EXTRACT from {kind} does not support the {field} date part"))
    }

    fn of_date(self, days: i32) -> Result<i64, FunctionError> {
        let date = civil_time::date(days);
        Ok(match self {
            Field::DayOfWeek => i64::from(date.weekday().to_sunday_one_offset()),
            Field::DayOfYear => i64::from(date.day_of_year()),
            Field::DatePart(part) => match part {
                DatePart::Day => i64::from(date.day()),
                DatePart::IsoWeek => i64::from(date.iso_week_date().week()),
                DatePart::Week(begins) => week(date, begins),
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
            Field::DatePart(part) if part.micros().is_some() => self.of_time(micros.rem_euclid(MICROS_OF_DAY)),
            _ => self.of_date(day_of(micros)),
        }
    }

    fn of_time(self, micros: i64) -> Result<i64, FunctionError> {
        Ok(match self {
            Field::DatePart(DatePart::Hour) => micros / 3_600_000_000,
            Field::DatePart(DatePart::Minute) => micros / 60_000_000 % 60,
            Field::DatePart(DatePart::Second) => micros / 1_000_000 % 60,
            Field::DatePart(DatePart::Millisecond) => micros / 1_000 % 1_000,
            Field::DatePart(DatePart::Microsecond) => micros % 1_000_000,
            _ => return Err(self.unsupported("TIME")),
        })
    }

    fn of_interval(self, interval: IntervalMonthDayNano) -> Result<i64, FunctionError> {
        let micros = interval.nanoseconds / 1_000;
        Ok(match self {
            Field::DatePart(DatePart::Year) => i64::from(interval.months / 12),
            Field::DatePart(DatePart::Month) => i64::from(interval.months % 12),
            Field::DatePart(DatePart::Day) => i64::from(interval.days),
            Field::DatePart(DatePart::Hour | DatePart::Minute | DatePart::Second | DatePart::Millisecond | DatePart::Microsecond) => {
                return self.of_time(micros);
            }
            _ => return Err(self.unsupported("INTERVAL")),
        })
    }
}

/// The week of the year, where the days before its first `begins` are week 0.
pub(crate) fn week(date: CivilDate, begins: Weekday) -> i64 {
    let since = i64::from(date.weekday().since(begins));
    (i64::from(date.day_of_year()) - 1 + 7 - since) / 7
}
