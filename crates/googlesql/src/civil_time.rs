//! Converts dates, times and timestamps between text, numbers since 1970 and jiff's civil types.
//!
//! BigQuery accepts text that ISO 8601 does not (`2026-3-1 7:05`), and rejects some text that ISO 8601 allows: it
//! takes six decimals, UTC and numeric offsets only. So this module parses the text itself. jiff supplies the calendar.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#timestamp_type>.

use jiff::SignedDuration;
use jiff::civil::{self, Date, DateTime, Time};

/// Timestamps are civil times since this one. jiff's `Timestamp` cannot represent BigQuery's last day.
const EPOCH: DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// Microseconds per day.
pub const MICROS_OF_DAY: i64 = 86_400_000_000;

/// `YYYY-[M]M-[D]D`.
pub fn parse_date(text: &str) -> Option<Date> {
    let mut rest = TextReader(text.as_bytes());
    let date = rest.date()?;
    rest.is_empty().then_some(date)
}

/// `[H]H:[M]M:[S]S[.ffffff]`.
pub fn parse_time(text: &str) -> Option<Time> {
    let mut rest = TextReader(text.as_bytes());
    let time = rest.time()?;
    rest.is_empty().then_some(time)
}

/// A date, and optionally a time after a space or `T`, without a time zone.
pub fn parse_datetime(text: &str) -> Option<DateTime> {
    let mut rest = TextReader(text.as_bytes());
    let datetime = rest.datetime()?;
    rest.is_empty().then_some(datetime)
}

/// Parses a datetime with `Z`, `UTC`, an offset or no time zone, which means UTC. Returns microseconds since 1970.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let mut rest = TextReader(text.as_bytes());
    let datetime = rest.datetime()?;
    let offset = rest.offset_seconds()?;
    if !rest.is_empty() {
        return None;
    }
    checked_micros(micros(datetime) - offset * 1_000_000)
}

/// Converts seconds since 1970, which may have a fraction, to microseconds.
pub fn micros_of_seconds(seconds: f64) -> Option<i64> {
    let micros = (seconds * 1e6).round();
    // Casting a float to i64 saturates, so an out-of-range value stays out of range.
    checked_micros(if micros.is_nan() { return None } else { micros as i64 })
}

/// Converts whole seconds since 1970 to microseconds. It is exact for every integer; [`micros_of_seconds`] is not.
pub fn micros_of_whole_seconds(seconds: i64) -> Option<i64> {
    checked_micros(seconds.checked_mul(1_000_000)?)
}

/// Days since 1970.
pub fn days(date: Date) -> i32 {
    let (year, month, day) = (i32::from(date.year()), i32::from(date.month()), i32::from(date.day()));
    // Here a year begins in March, so that the leap day is its last day. An era has 400 years.
    let shifted = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date `days` after 1970-01-01. An out-of-range date becomes the calendar's first or last date.
pub fn date(days: i32) -> Date {
    EPOCH.date().saturating_add(SignedDuration::from_hours(i64::from(days) * 24))
}

/// Days since 1970 of the civil time `micros` after 1970-01-01 00:00:00.
pub fn day_of(micros: i64) -> i32 {
    // Every date of the calendar fits into an i32.
    micros.div_euclid(MICROS_OF_DAY) as i32
}

/// Microseconds since midnight.
pub fn micros_of_day(time: Time) -> i64 {
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1_000
}

/// Microseconds from 1970-01-01 00:00:00 to a civil time.
pub fn micros(datetime: DateTime) -> i64 {
    i64::from(days(datetime.date())) * MICROS_OF_DAY + micros_of_day(datetime.time())
}

/// The civil time `micros` after 1970-01-01 00:00:00.
pub fn datetime(micros: i64) -> DateTime {
    EPOCH.saturating_add(SignedDuration::from_micros(micros))
}

/// Returns `None` outside of 0001-01-01 to 9999-12-31.
pub fn checked_days(days: i64) -> Option<i32> {
    i32::try_from(days).ok().filter(|days| (-719_162..=2_932_896).contains(days))
}

/// Returns `None` outside of the years 1 to 9999.
pub fn checked_micros(micros: i64) -> Option<i64> {
    (-62_135_596_800_000_000..=253_402_300_799_999_999).contains(&micros).then_some(micros)
}

/// Adds months. If the month has no such day, the result is its last day.
pub fn add_months(micros: i64, months: i64) -> Option<i64> {
    let start = datetime(micros);
    let count = (i64::from(start.year()) * 12 + i64::from(start.month()) - 1).checked_add(months)?;
    let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
    let year = i16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?;
    let first = Date::new(year, month as i8, 1).ok()?;
    let day = start.day().min(first.days_in_month());
    let date = Date::new(year, month as i8, day).ok()?;
    Some(i64::from(days(date)) * MICROS_OF_DAY + micros.rem_euclid(MICROS_OF_DAY))
}

/// The unread part of the text.
struct TextReader<'a>(&'a [u8]);

impl TextReader<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Reads a number of `min` to `max` digits.
    fn digits(&mut self, min: usize, max: usize) -> Option<i32> {
        let length = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(min..=max).contains(&length) {
            return None;
        }
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(digits.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0')))
    }

    fn date(&mut self) -> Option<Date> {
        let year = self.digits(4, 4)?;
        let month = self.take(b'-').then(|| self.digits(1, 2))??;
        let day = self.take(b'-').then(|| self.digits(1, 2))??;
        if year == 0 {
            return None;
        }
        Date::new(year as i16, month as i8, day as i8).ok()
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.digits(1, 2)?;
        let minute = self.take(b':').then(|| self.digits(1, 2))??;
        let second = if self.take(b':') { self.digits(1, 2)? } else { 0 };
        let mut nanos = 0;
        if self.take(b'.') {
            let before = self.0.len();
            let fraction = self.digits(1, 9)?;
            let decimals = before - self.0.len();
            nanos = fraction * 10_i32.pow(9 - decimals as u32);
            // Google's client for Node writes nine decimals, the last three of which are zeros. Other nanoseconds would
            // be lost.
            if nanos % 1_000 != 0 {
                return None;
            }
        }
        Time::new(hour as i8, minute as i8, second as i8, nanos).ok()
    }

    fn datetime(&mut self) -> Option<DateTime> {
        let date = self.date()?;
        let time = if self.take(b'T') || self.take(b't') {
            self.time()?
        } else if matches!(self.0, [b' ', digit, ..] if digit.is_ascii_digit()) {
            self.take(b' ');
            self.time()?
        } else {
            Time::midnight()
        };
        Some(DateTime::from_parts(date, time))
    }

    fn offset_seconds(&mut self) -> Option<i64> {
        if self.is_empty() || self.take(b'Z') || self.take(b'z') {
            return Some(0);
        }
        self.take(b' ');
        if self.0 == b"UTC" {
            self.0 = b"";
            return Some(0);
        }
        let sign = match (self.take(b'+'), self.take(b'-')) {
            (true, false) => 1,
            (false, true) => -1,
            _ => return None,
        };
        let hours = self.digits(1, 2)?;
        let minutes = if self.take(b':') { self.digits(2, 2)? } else { 0 };
        (hours <= 14 && minutes < 60).then(|| i64::from(sign * (hours * 3_600 + minutes * 60)))
    }
}
