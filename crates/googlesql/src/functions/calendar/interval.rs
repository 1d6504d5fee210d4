//! INTERVAL values: months, days and nanoseconds, each with its own sign. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/interval_functions>.

use datafusion::arrow::datatypes::IntervalMonthDayNano;
use jiff::civil::Weekday;

use super::super::Function;
use super::super::adapter::{scalar, scalar_with_date_part};
use super::super::column::{Int64, Interval, Parsed, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::date_part::DatePart;
use crate::civil_time::{self, MICROS_OF_DAY};

const NANOS_OF_DAY: i64 = MICROS_OF_DAY * 1_000;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar_with_date_part(
            "$interval",
            1,
            vec![Overload::binary::<Int64, Parsed<DatePart>, Interval, _>(|count, part| from_date_part(count, *part))],
        ),
        scalar("$interval_range", vec![Overload::binary::<Text, Text, Interval, _>(parse_range)]),
        scalar(
            "make_interval",
            vec![Overload::senary::<Int64, Int64, Int64, Int64, Int64, Int64, Interval, _>(
                |years, months, days, hours, minutes, seconds| {
                    let months = years.checked_mul(12).and_then(|years| years.checked_add(months));
                    let time = i128::from(hours) * 3_600 + i128::from(minutes) * 60 + i128::from(seconds);
                    build_interval(months, Some(days), time * 1_000_000_000)
                },
            )],
        ),
        scalar("justify_hours", vec![Overload::unary::<Interval, Interval, _>(justify_hours)]),
        scalar("justify_days", vec![Overload::unary::<Interval, Interval, _>(justify_days)]),
        scalar("justify_interval", vec![Overload::unary::<Interval, Interval, _>(justify)]),
    ]
}

/// Evaluates `INTERVAL count part`.
fn from_date_part(count: i64, part: DatePart) -> Result<IntervalMonthDayNano, FunctionError> {
    match part {
        DatePart::Year => build_interval(count.checked_mul(12), Some(0), 0),
        DatePart::Quarter => build_interval(count.checked_mul(3), Some(0), 0),
        DatePart::Month => build_interval(Some(count), Some(0), 0),
        DatePart::Week(Weekday::Sunday) => build_interval(Some(0), count.checked_mul(7), 0),
        DatePart::Day => build_interval(Some(0), Some(count), 0),
        DatePart::Hour | DatePart::Minute | DatePart::Second | DatePart::Millisecond | DatePart::Microsecond => {
            build_interval(Some(0), Some(0), i128::from(count) * i128::from(part.micros().expect("a time part has a fixed length")) * 1_000)
        }
        DatePart::Week(_) | DatePart::IsoWeek | DatePart::IsoYear => Err(part.unsupported("INTERVAL")),
    }
}

/// Builds an interval. It must be within 10,000 years.
pub(crate) fn build_interval(months: Option<i64>, days: Option<i64>, nanos: i128) -> Result<IntervalMonthDayNano, FunctionError> {
    const MAX_MONTHS: i64 = 120_000;
    const MAX_DAYS: i64 = 3_660_000;
    let out_of_range = || FunctionError::new("Interval value is out of range: it must be within 10000 years");
    let months = months.filter(|months| months.abs() <= MAX_MONTHS).ok_or_else(out_of_range)?;
    let days = days.filter(|days| days.abs() <= MAX_DAYS).ok_or_else(out_of_range)?;
    let (days, nanos) = match i64::try_from(nanos) {
        Ok(nanos) => (days, nanos),
        // i64 nanoseconds hold 292 years. Move whole days to the day field, which does not change the
        // result of additions.
        Err(_) => {
            let whole = i64::try_from(nanos / i128::from(NANOS_OF_DAY)).map_err(|_| out_of_range())?;
            let days = days.checked_add(whole).filter(|days| days.abs() <= MAX_DAYS).ok_or_else(out_of_range)?;
            (days, (nanos % i128::from(NANOS_OF_DAY)) as i64)
        }
    };
    Ok(IntervalMonthDayNano::new(months as i32, days as i32, nanos))
}

/// Moves each 24 hours of the time to a day.
fn justify_hours(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    let mut days = i64::from(interval.days) + interval.nanoseconds / NANOS_OF_DAY;
    let mut nanos = interval.nanoseconds % NANOS_OF_DAY;
    if days > 0 && nanos < 0 {
        (days, nanos) = (days - 1, nanos + NANOS_OF_DAY);
    } else if days < 0 && nanos > 0 {
        (days, nanos) = (days + 1, nanos - NANOS_OF_DAY);
    }
    build_interval(Some(i64::from(interval.months)), Some(days), i128::from(nanos))
}

/// Moves each 30 days to a month.
fn justify_days(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    let mut months = i64::from(interval.months) + i64::from(interval.days / 30);
    let mut days = i64::from(interval.days % 30);
    if months > 0 && days < 0 {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && days > 0 {
        (months, days) = (months + 1, days - 30);
    }
    build_interval(Some(months), Some(days), i128::from(interval.nanoseconds))
}

/// Applies both rules, then gives all fields the same sign.
fn justify(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    let days = i64::from(interval.days) + interval.nanoseconds / NANOS_OF_DAY;
    let mut months = i64::from(interval.months) + days / 30;
    let mut days = days % 30;
    let mut nanos = interval.nanoseconds % NANOS_OF_DAY;
    if months > 0 && (days, nanos) < (0, 0) {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && (days, nanos) > (0, 0) {
        (months, days) = (months + 1, days - 30);
    }
    if days > 0 && nanos < 0 {
        (days, nanos) = (days - 1, nanos + NANOS_OF_DAY);
    } else if days < 0 && nanos > 0 {
        (days, nanos) = (days + 1, nanos - NANOS_OF_DAY);
    }
    build_interval(Some(months), Some(days), i128::from(nanos))
}

/// Negates all fields.
pub(crate) fn negate(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, FunctionError> {
    build_interval(Some(-i64::from(interval.months)), Some(-i64::from(interval.days)), -i128::from(interval.nanoseconds))
}

/// Adds an interval to civil microseconds: months first, then days, then the time. Returns none if
/// the result is out of range.
pub(crate) fn add_interval(micros: i64, interval: IntervalMonthDayNano) -> Option<i64> {
    let month = match interval.months {
        0 => micros,
        months => civil_time::add_months(micros, i64::from(months))?,
    };
    let days = i64::from(interval.days).checked_mul(MICROS_OF_DAY)?;
    civil_time::checked_micros(month.checked_add(days)?.checked_add(interval.nanoseconds / 1_000)?)
}

/// Returns the difference of two times, in hours and smaller units.
pub(crate) fn difference(end: i64, start: i64) -> Result<IntervalMonthDayNano, FunctionError> {
    build_interval(Some(0), Some(0), (i128::from(end) - i128::from(start)) * 1_000)
}

/// Formats as CAST to STRING does: `1-2 3 4:5:6.789`.
pub(crate) fn format_interval(interval: IntervalMonthDayNano) -> String {
    let sign = |negative: bool| if negative { "-" } else { "" };
    let months = interval.months.unsigned_abs();
    let micros = interval.nanoseconds.unsigned_abs() / 1_000;
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let fraction = match fraction {
        0 => String::new(),
        whole if whole % 1_000 == 0 => format!(".{:03}", whole / 1_000),
        fraction => format!(".{fraction:06}"),
    };
    format!(
        "{}{}-{} {} {}{}:{}:{}{fraction}",
        sign(interval.months < 0),
        months / 12,
        months % 12,
        interval.days,
        sign(interval.nanoseconds < 0),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
    )
}

/// Parses the format of CAST to STRING, also with fields omitted (`1-2`, `1-2 3`, `3 4:5:6`,
/// `4:5:6`), or an ISO 8601 duration (`P1Y2M3DT4H5M6.5S`).
pub(crate) fn parse(text: &str) -> Result<IntervalMonthDayNano, FunctionError> {
    let parts = match text.strip_prefix('P') {
        Some(duration) => parse_duration(duration),
        None => parse_fields(text),
    };
    let (months, days, nanos) = parts.ok_or_else(|| FunctionError::new(format!("Invalid INTERVAL value '{text}'")))?;
    build_interval(Some(months), Some(days), nanos)
}

/// Months, days and nanoseconds.
type IntervalFields = (i64, i64, i128);

fn parse_fields(text: &str) -> Option<IntervalFields> {
    let words: Vec<&str> = text.split(' ').collect();
    let is_months = |word: &str| word.trim_start_matches(['-', '+']).contains('-');
    let is_time = |word: &str| word.matches(':').count() == 2;
    let whole = |word: &str| word.parse::<i64>().ok();
    Some(match words.as_slice() {
        [months] if is_months(months) => (parse_months(months)?, 0, 0),
        [time] if is_time(time) => (0, 0, parse_time(time)?),
        [months, time] if is_months(months) && is_time(time) => (parse_months(months)?, 0, parse_time(time)?),
        [months, days] if is_months(months) => (parse_months(months)?, whole(days)?, 0),
        [days, time] if is_time(time) => (0, whole(days)?, parse_time(time)?),
        [months, days, time] if is_months(months) && is_time(time) => (parse_months(months)?, whole(days)?, parse_time(time)?),
        _ => return None,
    })
}

/// Parses `INTERVAL '3 4:5' DAY TO MINUTE`. Fields outside the range are zero.
fn parse_range(text: &str, range: &str) -> Result<IntervalMonthDayNano, FunctionError> {
    const UNITS: [&str; 6] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
    let place = |name: &str| UNITS.iter().position(|unit| *unit == name);
    let ends = range.split_once(" TO ").and_then(|(first, last)| Some((place(first)?, place(last)?))).filter(|(first, last)| first < last);
    let (first, last) = ends.ok_or_else(|| FunctionError::new(format!("Invalid INTERVAL range {range}")))?;
    // A sign precedes the years and applies to the months. A sign precedes the hours and applies to the
    // minutes and seconds.
    let (sign, unsigned) = text.split_at(usize::from(text.starts_with(['-', '+'])));
    let before = match first {
        0 => text.to_owned(),
        1 => format!("{sign}0-{unsigned}"),
        2 => format!("0-0 {text}"),
        3 => format!("0-0 0 {text}"),
        _ => format!("0-0 0 {sign}0:{unsigned}"),
    };
    let whole = before + ["", " 0 0:0:0", " 0:0:0", ":0:0", ":0", ""][last];
    let parts = parse_fields(&whole).filter(|_| whole.matches(' ').count() == 2);
    let (months, days, nanos) = parts.ok_or_else(|| FunctionError::new(format!("Invalid INTERVAL value '{text}'")))?;
    build_interval(Some(months), Some(days), nanos)
}

/// Splits a sign from the text. It applies to all following fields.
fn split_sign(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Parses `years-months`.
fn parse_months(text: &str) -> Option<i64> {
    let (sign, text) = split_sign(text);
    let (years, months) = text.split_once('-')?;
    Some(sign * i64::from(years.parse::<u32>().ok()?.checked_mul(12)?.checked_add(months.parse().ok()?)?))
}

/// Parses `hours:minutes:seconds`.
fn parse_time(text: &str) -> Option<i128> {
    let (sign, text) = split_sign(text);
    let mut parts = text.split(':');
    let (hours, minutes) = (parts.next()?.parse::<u32>().ok()?, parts.next()?.parse::<u32>().ok()?);
    let seconds = parse_seconds(parts.next()?)?;
    Some(i128::from(sign) * ((i128::from(hours) * 60 + i128::from(minutes)) * 60_000_000_000 + seconds))
}

fn parse_seconds(text: &str) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 9 && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let nanos: i128 = format!("{fraction:0<9}").parse().ok().filter(|_| digits)?;
    Some(i128::from(whole.parse::<u32>().ok()?) * 1_000_000_000 + nanos)
}

/// Parses an ISO 8601 duration without its `P`. Each number has its own sign.
fn parse_duration(text: &str) -> Option<IntervalFields> {
    let (date, time) = text.split_once('T').unwrap_or((text, ""));
    let (mut months, mut days, mut nanos) = (0_i64, 0_i64, 0_i128);
    for (part, is_time) in date
        .split_inclusive(char::is_alphabetic)
        .map(|part| (part, false))
        .chain(time.split_inclusive(char::is_alphabetic).map(|part| (part, true)))
    {
        let (number, unit) = part.split_at_checked(part.len() - 1)?;
        let whole = || number.parse::<i32>().ok().map(i64::from);
        match (unit, is_time) {
            ("Y", false) => months += whole()? * 12,
            ("M", false) => months += whole()?,
            ("W", false) => days += whole()? * 7,
            ("D", false) => days += whole()?,
            ("H", true) => nanos += i128::from(whole()?) * 3_600_000_000_000,
            ("M", true) => nanos += i128::from(whole()?) * 60_000_000_000,
            ("S", true) => {
                let (sign, number) = split_sign(number);
                nanos += i128::from(sign) * parse_seconds(number)?;
            }
            _ => return None,
        }
    }
    (!text.is_empty()).then_some((months, days, nanos))
}
