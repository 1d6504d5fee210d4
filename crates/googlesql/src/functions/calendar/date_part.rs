//! Date parts: `DAY`, `WEEK(MONDAY)`, `ISOYEAR`.

use std::str::FromStr;

use jiff::civil::Weekday;

use super::super::function_error::FunctionError;

/// A date part: a unit for truncation and differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DatePart {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    /// A week that starts on this day. `WEEK` starts on Sunday.
    Week(Weekday),
    /// A week that starts on Monday. Week 1 has the first Thursday of the year.
    IsoWeek,
    Month,
    Quarter,
    Year,
    /// A year that starts on the Monday of ISO week 1.
    IsoYear,
}

impl DatePart {
    /// Returns the length in microseconds, or none if the part is not a time unit.
    pub(crate) fn micros(self) -> Option<i64> {
        Some(match self {
            DatePart::Microsecond => 1,
            DatePart::Millisecond => 1_000,
            DatePart::Second => 1_000_000,
            DatePart::Minute => 60_000_000,
            DatePart::Hour => 3_600_000_000,
            DatePart::Day
            | DatePart::Week(_)
            | DatePart::IsoWeek
            | DatePart::Month
            | DatePart::Quarter
            | DatePart::Year
            | DatePart::IsoYear => return None,
        })
    }

    /// Returns the error for a function that does not support the part.
    pub(crate) fn unsupported(self, function: &str) -> FunctionError {
        FunctionError::new(format!("{function} does not support the {self} date part"))
    }
}

impl FromStr for DatePart {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<DatePart, FunctionError> {
        Ok(match text {
            "MICROSECOND" => DatePart::Microsecond,
            "MILLISECOND" => DatePart::Millisecond,
            "SECOND" => DatePart::Second,
            "MINUTE" => DatePart::Minute,
            "HOUR" => DatePart::Hour,
            "DAY" => DatePart::Day,
            "WEEK" => DatePart::Week(Weekday::Sunday),
            "ISOWEEK" => DatePart::IsoWeek,
            "MONTH" => DatePart::Month,
            "QUARTER" => DatePart::Quarter,
            "YEAR" => DatePart::Year,
            "ISOYEAR" => DatePart::IsoYear,
            other => DatePart::Week(
                other
                    .strip_prefix("WEEK(")
                    .and_then(|rest| weekday(rest.strip_suffix(')')?))
                    .ok_or_else(|| FunctionError::new(format!("A valid date part name is required but found {other}")))?,
            ),
        })
    }
}

pub(crate) fn weekday(name: &str) -> Option<Weekday> {
    Some(match name {
        "SUNDAY" => Weekday::Sunday,
        "MONDAY" => Weekday::Monday,
        "TUESDAY" => Weekday::Tuesday,
        "WEDNESDAY" => Weekday::Wednesday,
        "THURSDAY" => Weekday::Thursday,
        "FRIDAY" => Weekday::Friday,
        "SATURDAY" => Weekday::Saturday,
        _ => return None,
    })
}

impl std::fmt::Display for DatePart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DatePart::Microsecond => "MICROSECOND",
            DatePart::Millisecond => "MILLISECOND",
            DatePart::Second => "SECOND",
            DatePart::Minute => "MINUTE",
            DatePart::Hour => "HOUR",
            DatePart::Day => "DAY",
            DatePart::Week(Weekday::Sunday) => "WEEK",
            DatePart::IsoWeek => "ISOWEEK",
            DatePart::Week(day) => return write!(f, "WEEK({})", format!("{day:?}").to_uppercase()),
            DatePart::Month => "MONTH",
            DatePart::Quarter => "QUARTER",
            DatePart::Year => "YEAR",
            DatePart::IsoYear => "ISOYEAR",
        })
    }
}
