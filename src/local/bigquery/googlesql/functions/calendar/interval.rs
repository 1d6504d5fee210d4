//! INTERVAL: months, days and a time, each with its own sign.

use datafusion::arrow::datatypes::IntervalMonthDayNano;
use jiff::civil::Weekday;

use super::super::Function;
use super::super::adapter::{scalar, scalar_with_part};
use super::super::column::{Int64, Interval, Parsed};
use super::super::failure::Failure;
use super::super::overload::Overload;
use super::civil::{self, MICROS_OF_DAY};
use super::part::Part;

const NANOS_OF_DAY: i64 = MICROS_OF_DAY * 1_000;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar_with_part("$interval", 1, vec![Overload::binary::<Int64, Parsed<Part>, Interval, _>(|count, part| of(count, *part))]),
        scalar(
            "make_interval",
            vec![Overload::senary::<Int64, Int64, Int64, Int64, Int64, Int64, Interval, _>(
                |years, months, days, hours, minutes, seconds| {
                    let months = years.checked_mul(12).and_then(|years| years.checked_add(months));
                    let time = i128::from(hours) * 3_600 + i128::from(minutes) * 60 + i128::from(seconds);
                    exact(months, Some(days), time * 1_000_000_000)
                },
            )],
        ),
        scalar("justify_hours", vec![Overload::unary::<Interval, Interval, _>(justify_hours)]),
        scalar("justify_days", vec![Overload::unary::<Interval, Interval, _>(justify_days)]),
        scalar("justify_interval", vec![Overload::unary::<Interval, Interval, _>(justify)]),
    ]
}

/// `INTERVAL count part`.
fn of(count: i64, part: Part) -> Result<IntervalMonthDayNano, Failure> {
    match part {
        Part::Year => exact(count.checked_mul(12), Some(0), 0),
        Part::Quarter => exact(count.checked_mul(3), Some(0), 0),
        Part::Month => exact(Some(count), Some(0), 0),
        Part::Week(Weekday::Sunday) => exact(Some(0), count.checked_mul(7), 0),
        Part::Day => exact(Some(0), Some(count), 0),
        Part::Hour | Part::Minute | Part::Second | Part::Millisecond | Part::Microsecond => {
            exact(Some(0), Some(0), i128::from(count) * i128::from(part.micros().unwrap_or_default()) * 1_000)
        }
        Part::Week(_) | Part::IsoWeek | Part::IsoYear => Err(part.unsupported("INTERVAL")),
    }
}

/// From its parts, within ten thousand years.
pub(in super::super) fn exact(months: Option<i64>, days: Option<i64>, nanos: i128) -> Result<IntervalMonthDayNano, Failure> {
    const MOST_MONTHS: i64 = 120_000;
    const MOST_DAYS: i64 = 3_660_000;
    let out_of_range = || Failure::new("Interval value is out of range: it must be within 10000 years");
    let months = months.filter(|months| months.abs() <= MOST_MONTHS).ok_or_else(out_of_range)?;
    let days = days.filter(|days| days.abs() <= MOST_DAYS).ok_or_else(out_of_range)?;
    let (days, nanos) = match i64::try_from(nanos) {
        Ok(nanos) => (days, nanos),
        // Beyond 292 years the nanoseconds do not fit: whole days go where days are kept, which no
        // addition can tell apart.
        Err(_) => {
            let whole = i64::try_from(nanos / i128::from(NANOS_OF_DAY)).map_err(|_| out_of_range())?;
            let days = days.checked_add(whole).filter(|days| days.abs() <= MOST_DAYS).ok_or_else(out_of_range)?;
            (days, (nanos % i128::from(NANOS_OF_DAY)) as i64)
        }
    };
    Ok(IntervalMonthDayNano::new(months as i32, days as i32, nanos))
}

/// Days of 24 hours out of the time.
fn justify_hours(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, Failure> {
    let mut days = i64::from(interval.days) + interval.nanoseconds / NANOS_OF_DAY;
    let mut nanos = interval.nanoseconds % NANOS_OF_DAY;
    if days > 0 && nanos < 0 {
        (days, nanos) = (days - 1, nanos + NANOS_OF_DAY);
    } else if days < 0 && nanos > 0 {
        (days, nanos) = (days + 1, nanos - NANOS_OF_DAY);
    }
    exact(Some(i64::from(interval.months)), Some(days), i128::from(nanos))
}

/// Months of 30 days out of the days.
fn justify_days(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, Failure> {
    let mut months = i64::from(interval.months) + i64::from(interval.days / 30);
    let mut days = i64::from(interval.days % 30);
    if months > 0 && days < 0 {
        (months, days) = (months - 1, days + 30);
    } else if months < 0 && days > 0 {
        (months, days) = (months + 1, days - 30);
    }
    exact(Some(months), Some(days), i128::from(interval.nanoseconds))
}

/// Both, and then all parts of one sign.
fn justify(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, Failure> {
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
    exact(Some(months), Some(days), i128::from(nanos))
}

/// The same interval backwards.
pub(in super::super) fn negated(interval: IntervalMonthDayNano) -> Result<IntervalMonthDayNano, Failure> {
    exact(Some(-i64::from(interval.months)), Some(-i64::from(interval.days)), -i128::from(interval.nanoseconds))
}

/// Civil microseconds so much later: months first, then days, then the time. None out of the
/// calendar.
pub(in super::super) fn later(micros: i64, interval: IntervalMonthDayNano) -> Option<i64> {
    let month = match interval.months {
        0 => micros,
        months => civil::add_months(micros, i64::from(months))?,
    };
    let days = i64::from(interval.days).checked_mul(MICROS_OF_DAY)?;
    civil::checked_micros(month.checked_add(days)?.checked_add(interval.nanoseconds / 1_000)?)
}

/// The time between two moments, as hours and less.
pub(in super::super) fn between(end: i64, start: i64) -> Result<IntervalMonthDayNano, Failure> {
    exact(Some(0), Some(0), (i128::from(end) - i128::from(start)) * 1_000)
}

/// As CAST to STRING writes it: `1-2 3 4:5:6.789`.
pub(in super::super) fn text(interval: IntervalMonthDayNano) -> String {
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
