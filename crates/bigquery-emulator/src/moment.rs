//! Dates, times and timestamps as BigQuery writes them in text.
//!
//! Wider than ISO 8601 in places (`2026-3-1 7:05`), narrower in others (six decimals that count, no zone but
//! UTC and offsets), so the text is read here; the calendar is jiff's.

use jiff::civil::{self, Date, DateTime, Time};

/// Timestamps are counted from it in civil time: jiff's own `Timestamp` ends a day before
/// BigQuery's does, so that every time zone can show it.
const EPOCH: DateTime = civil::datetime(1970, 1, 1, 0, 0, 0, 0);

/// `YYYY-[M]M-[D]D`.
pub(crate) fn date(text: &str) -> Option<Date> {
    let mut rest = Rest(text.as_bytes());
    let date = rest.date()?;
    rest.is_empty().then_some(date)
}

/// `[H]H:[M]M:[S]S[.ffffff]`.
pub(crate) fn time(text: &str) -> Option<Time> {
    let mut rest = Rest(text.as_bytes());
    let time = rest.time()?;
    rest.is_empty().then_some(time)
}

/// A date, and optionally a time after a space or `T`; no zone.
pub(crate) fn datetime(text: &str) -> Option<DateTime> {
    let mut rest = Rest(text.as_bytes());
    let datetime = rest.datetime()?;
    rest.is_empty().then_some(datetime)
}

/// A datetime with `Z`, `UTC`, an offset or nothing (which means UTC), as microseconds since
/// 1970.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let datetime = rest.datetime()?;
    let offset = rest.offset_seconds()?;
    if !rest.is_empty() {
        return None;
    }
    let micros = i64::try_from(datetime.duration_since(EPOCH).as_micros()).ok()?;
    in_range(micros - offset * 1_000_000)
}

/// Seconds since 1970, possibly with a fraction, as microseconds.
pub(crate) fn epoch(seconds: f64) -> Option<i64> {
    let micros = (seconds * 1e6).round();
    // Casting a float saturates, so that what is out of range stays so.
    in_range(if micros.is_nan() { return None } else { micros as i64 })
}

/// Whole seconds since 1970 as microseconds: exact, as `epoch` is not for every integer.
pub(crate) fn epoch_whole(seconds: i64) -> Option<i64> {
    in_range(seconds.checked_mul(1_000_000)?)
}

/// Days since 1970.
pub(crate) fn days(date: Date) -> i32 {
    let (year, month, day) = (i32::from(date.year()), i32::from(date.month()), i32::from(date.day()));
    // Years begin in March, so that the leap day is the last of its year; eras have 400 of them.
    let shifted = if month > 2 { year } else { year - 1 };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date so many days after 1970 began.
pub(crate) fn date_of(days: i32) -> Option<Date> {
    EPOCH.date().checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

/// Microseconds since midnight.
pub(crate) fn micros_of_day(time: Time) -> i64 {
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1_000
}

/// Microseconds since 1970, as if the civil time were UTC's.
pub(crate) fn civil_micros(datetime: DateTime) -> i64 {
    i64::from(days(datetime.date())) * 86_400_000_000 + micros_of_day(datetime.time())
}

/// Years 1 to 9999.
fn in_range(micros: i64) -> Option<i64> {
    (-62_135_596_800_000_000..=253_402_300_799_999_999).contains(&micros).then_some(micros)
}

/// What of the text is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
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

    /// A number of `least` to `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<i32> {
        let length = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(least..=most).contains(&length) {
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
            // Google's client for Node writes nanoseconds that are all zeros; others would be lost.
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
