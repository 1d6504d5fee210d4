//! The date parts: `DAY`, `WEEK(MONDAY)`, `ISOYEAR`.

use std::str::FromStr;

use jiff::civil::Weekday;

use super::super::function_error::FunctionError;

/// A granularity: what can be truncated to and counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    /// Beginning on this day; `WEEK` alone begins on Sunday.
    Week(Weekday),
    /// As `WEEK(MONDAY)`, but numbered from the week with the year's first Thursday.
    IsoWeek,
    Month,
    Quarter,
    Year,
    /// From the Monday of the week with the year's first Thursday.
    IsoYear,
}

impl Part {
    /// Of the parts with a constant length, that length in microseconds.
    pub(crate) fn micros(self) -> Option<i64> {
        Some(match self {
            Part::Microsecond => 1,
            Part::Millisecond => 1_000,
            Part::Second => 1_000_000,
            Part::Minute => 60_000_000,
            Part::Hour => 3_600_000_000,
            Part::Day | Part::Week(_) | Part::IsoWeek | Part::Month | Part::Quarter | Part::Year | Part::IsoYear => return None,
        })
    }

    /// That this part cannot be asked of that.
    pub(crate) fn unsupported(self, function: &str) -> FunctionError {
        FunctionError::new(format!("{function} does not support the {self} date part"))
    }
}

impl FromStr for Part {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Part, FunctionError> {
        Ok(match text {
            "MICROSECOND" => Part::Microsecond,
            "MILLISECOND" => Part::Millisecond,
            "SECOND" => Part::Second,
            "MINUTE" => Part::Minute,
            "HOUR" => Part::Hour,
            "DAY" => Part::Day,
            "WEEK" => Part::Week(Weekday::Sunday),
            "ISOWEEK" => Part::IsoWeek,
            "MONTH" => Part::Month,
            "QUARTER" => Part::Quarter,
            "YEAR" => Part::Year,
            "ISOYEAR" => Part::IsoYear,
            other => Part::Week(
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

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Part::Microsecond => "MICROSECOND",
            Part::Millisecond => "MILLISECOND",
            Part::Second => "SECOND",
            Part::Minute => "MINUTE",
            Part::Hour => "HOUR",
            Part::Day => "DAY",
            Part::Week(Weekday::Sunday) => "WEEK",
            Part::IsoWeek => "ISOWEEK",
            Part::Week(day) => return write!(f, "WEEK({})", format!("{day:?}").to_uppercase()),
            Part::Month => "MONTH",
            Part::Quarter => "QUARTER",
            Part::Year => "YEAR",
            Part::IsoYear => "ISOYEAR",
        })
    }
}
