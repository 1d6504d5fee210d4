//! `DATE_DIFF`, `DATETIME_DIFF`, `TIME_DIFF` and `TIMESTAMP_DIFF`.
//!
//! For dates and datetimes the result is the number of date part boundaries between the values:
//! `23:59` and `00:01` are one day apart. For timestamps it is the number of whole units.

use super::super::Function;
use super::super::adapter::scalar_with_date_part;
use super::super::column::{Date, Datetime, Int64, Parsed, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::date_part::DatePart;
use crate::civil_time::{self, MICROS_OF_DAY, day_of};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let datetimes = || {
        Overload::ternary::<Datetime, Datetime, Parsed<DatePart>, Int64, _>(|end, start, part| match part.micros() {
            Some(unit) => Ok(end.div_euclid(unit) - start.div_euclid(unit)),
            None => date_boundaries(day_of(end), day_of(start), *part, "DATETIME_DIFF"),
        })
    };
    let timestamps =
        || Overload::ternary::<Timestamp, Timestamp, Parsed<DatePart>, Int64, _>(|end, start, part| whole_units(end, start, *part));
    vec![
        scalar_with_date_part(
            "date_diff",
            2,
            vec![
                Overload::ternary::<Date, Date, Parsed<DatePart>, Int64, _>(|end, start, part| {
                    date_boundaries(end, start, *part, "DATE_DIFF")
                }),
                datetimes(),
                timestamps(),
            ],
        ),
        scalar_with_date_part("datetime_diff", 2, vec![datetimes(), timestamps()]),
        scalar_with_date_part("timestamp_diff", 2, vec![timestamps(), datetimes()]),
        scalar_with_date_part(
            "time_diff",
            2,
            vec![Overload::ternary::<Time, Time, Parsed<DatePart>, Int64, _>(|end, start, part| {
                let unit = part.micros().ok_or_else(|| part.unsupported("TIME_DIFF"))?;
                Ok(end / unit - start / unit)
            })],
        ),
    ]
}

fn whole_units(end: i64, start: i64, part: DatePart) -> Result<i64, FunctionError> {
    let unit = match part {
        DatePart::Day => MICROS_OF_DAY,
        part => part.micros().ok_or_else(|| part.unsupported("TIMESTAMP_DIFF"))?,
    };
    Ok((end - start) / unit)
}

fn date_boundaries(end: i32, start: i32, part: DatePart, function: &str) -> Result<i64, FunctionError> {
    let index = |days: i32| -> Result<i64, FunctionError> {
        let date = civil_time::date(days);
        let year = i64::from(date.year());
        let month = i64::from(date.month()) - 1;
        Ok(match part {
            DatePart::Day => i64::from(days),
            // 1970-01-01 was a Thursday. With an offset of 4 days, multiples of 7 are Sundays.
            DatePart::Week(week_start) => (i64::from(days) + 4 - i64::from(week_start.to_sunday_zero_offset())).div_euclid(7),
            DatePart::IsoWeek => (i64::from(days) + 3).div_euclid(7),
            DatePart::Month => year * 12 + month,
            DatePart::Quarter => year * 4 + month / 3,
            DatePart::Year => year,
            DatePart::IsoYear => i64::from(date.iso_week_date().year()),
            DatePart::Microsecond | DatePart::Millisecond | DatePart::Second | DatePart::Minute | DatePart::Hour => {
                return Err(part.unsupported(function));
            }
        })
    };
    Ok(index(end)? - index(start)?)
}
