//! Between the numbers in columns and the calendar.

use jiff::SignedDuration;
use jiff::civil::{self, Date, DateTime, Time};

use super::super::failure::Failure;

pub(crate) const MICROS_OF_DAY: i64 = 86_400_000_000;

const EPOCH: DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// Days since 1970.
pub(crate) fn days(date: Date) -> i32 {
    // Ten thousand years are four million days.
    (micros(date.to_datetime(Time::midnight())) / MICROS_OF_DAY) as i32
}

pub(crate) fn date(days: i32) -> Date {
    EPOCH.date().saturating_add(SignedDuration::from_hours(i64::from(days) * 24))
}

/// Microseconds since 1970, of civil time.
pub(crate) fn micros(datetime: DateTime) -> i64 {
    datetime.duration_since(EPOCH).as_micros() as i64
}

pub(crate) fn datetime(micros: i64) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_micros(micros))
}

/// Microseconds since midnight.
pub(crate) fn micros_of_day(time: Time) -> i64 {
    micros(EPOCH.date().to_datetime(time))
}

/// 0001-01-01 to 9999-12-31, or none.
pub(crate) fn checked_days(days: i64) -> Option<i32> {
    i32::try_from(days).ok().filter(|days| (-719_162..=2_932_896).contains(days))
}

/// Years 1 to 9999, or none.
pub(crate) fn checked_micros(micros: i64) -> Option<i64> {
    (-62_135_596_800_000_000..=253_402_300_799_999_999).contains(&micros).then_some(micros)
}

/// The days, or that `operation` left the calendar.
pub(crate) fn in_calendar(days: Option<i64>, operation: &str) -> Result<i32, Failure> {
    days.and_then(checked_days).ok_or_else(|| Failure::new(format!("{operation} overflow: the date is not in 0001-01-01 to 9999-12-31")))
}

/// The microseconds, or that `operation` left the calendar.
pub(crate) fn in_time(micros: Option<i64>, operation: &str) -> Result<i64, Failure> {
    micros.and_then(checked_micros).ok_or_else(|| {
        Failure::new(format!("{operation} overflow: the result is not in 0001-01-01 00:00:00 to 9999-12-31 23:59:59.999999"))
    })
}

/// The civil microseconds so many months on; the day is brought back into its month.
pub(crate) fn add_months(micros: i64, months: i64) -> Option<i64> {
    let start = datetime(micros);
    let count = (i64::from(start.year()) * 12 + i64::from(start.month()) - 1).checked_add(months)?;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
    let first = Date::new(year, month as i8, 1).ok()?;
    let day = start.day().min(first.days_in_month());
    let date = Date::new(year, month as i8, day).ok()?;
    Some(i64::from(days(date)) * MICROS_OF_DAY + micros.rem_euclid(MICROS_OF_DAY))
}
