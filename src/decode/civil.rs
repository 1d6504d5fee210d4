//! Dates and times in BigQuery's canonical text formats.
//!
//! Reads `YYYY-[M]M-[D]D`, `[H]H:[M]M:[S]S[.F]` and their combinations with `T`, `t` or a space,
//! followed by `Z`, ` UTC` or `±H[H][:MM]`, which covers the RFC 3339 of log entries too:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#canonical_format>.
//! `jiff` computes the calendar. Its parsers also accept forms that BigQuery rejects (`20260102`, week dates). BigQuery
//! would then reject the row.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Year 1 to 9999: the range of BigQuery's types.
pub fn parse_date(text: &str) -> Option<Date> {
    let mut cursor = Cursor(text.as_bytes());
    let date = cursor.date()?;
    cursor.at_end().then_some(date)
}

/// Up to nine digits of fraction.
pub fn parse_time(text: &str) -> Option<Time> {
    let mut cursor = Cursor(text.as_bytes());
    let time = cursor.time()?;
    cursor.at_end().then_some(time)
}

/// A date, alone or with a time, and no zone.
pub fn parse_datetime(text: &str) -> Option<DateTime> {
    let mut cursor = Cursor(text.as_bytes());
    let datetime = cursor.datetime()?;
    cursor.at_end().then_some(datetime)
}

/// A date, alone or with a time and a zone. The default zone is UTC. Also seconds since 1970, with or without a fraction.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let mut cursor = Cursor(text.as_bytes());
    let timestamp = match cursor.datetime() {
        Some(datetime) => {
            let offset = cursor.zone()?;
            cursor.at_end().then_some(())?;
            offset.to_timestamp(datetime).ok()?
        }
        None => parse_epoch_seconds(text)?,
    };
    (FIRST_SECOND..=LAST_SECOND).contains(&timestamp.as_second()).then_some(timestamp)
}

/// Whether the text is a valid time after [`Timestamp::MAX`]. The last hours of 9999 are: in some time zones the year
/// 10000 has begun.
pub fn is_after_all_timestamps(text: &str) -> bool {
    let mut cursor = Cursor(text.as_bytes());
    let Some(datetime) = cursor.datetime() else { return false };
    let offset = cursor.zone().filter(|_| cursor.at_end());
    datetime.date().year() == 9999 && offset.is_some_and(|offset| offset.to_timestamp(datetime).is_err())
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

fn parse_epoch_seconds(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = seconds.strip_prefix('-').unwrap_or(seconds);
    if unsigned.is_empty() || !unsigned.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) || fraction.len() > 9 {
        return None;
    }
    let nanos: i32 = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(seconds.parse().ok()?, if seconds.starts_with('-') { -nanos } else { nanos }).ok()
}

/// The rest of the text.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn eat(&mut self, wanted: u8) -> Option<()> {
        let (first, rest) = self.0.split_first()?;
        (*first == wanted).then(|| self.0 = rest)
    }

    /// A number of `min` to `max` digits.
    fn digits(&mut self, min: usize, max: usize) -> Option<i32> {
        let count = self.0.iter().take(max).take_while(|b| b.is_ascii_digit()).count();
        if count < min {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + i32::from(digit - b'0')))
    }

    fn small(&mut self) -> Option<i8> {
        self.digits(1, 2).map(|number| number as i8)
    }

    fn date(&mut self) -> Option<Date> {
        let year = self.digits(4, 4)?;
        self.eat(b'-')?;
        let month = self.small()?;
        self.eat(b'-')?;
        let day = self.small()?;
        Date::new(year as i16, month, day).ok().filter(|date| date.year() >= 1)
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.small()?;
        self.eat(b':')?;
        let minute = self.small()?;
        self.eat(b':')?;
        let second = self.small()?;
        let nanos = if self.eat(b'.').is_some() {
            let before = self.0.len();
            let fraction = self.digits(1, 9)?;
            fraction * 10_i32.pow(9 - (before - self.0.len()) as u32)
        } else {
            0
        };
        Time::new(hour, minute, second, nanos).ok()
    }

    fn datetime(&mut self) -> Option<DateTime> {
        let date = self.date()?;
        let separated = matches!(self.0, [b'T' | b't', ..] | [b' ', b'0'..=b'9', ..]);
        if !separated {
            return Some(date.to_datetime(Time::midnight()));
        }
        self.0 = &self.0[1..];
        Some(date.to_datetime(self.time()?))
    }

    fn zone(&mut self) -> Option<Offset> {
        match self.0 {
            [] => Some(Offset::UTC),
            [b'Z' | b'z'] | b" UTC" | b" Z" => {
                self.0 = &[];
                Some(Offset::UTC)
            }
            [sign @ (b'+' | b'-'), rest @ ..] => {
                let sign = if *sign == b'-' { -1 } else { 1 };
                self.0 = rest;
                let hours = self.digits(1, 2)?;
                let minutes = if self.eat(b':').is_some() { self.digits(2, 2)? } else { 0 };
                if hours > 14 || minutes > 59 {
                    return None;
                }
                Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp(text: &str) -> Option<String> {
        parse_timestamp(text).map(|t| t.to_string())
    }

    #[test]
    fn timestamps_of_log_entries_are_parsed() {
        for (text, expected) in [
            ("2025-11-20T13:35:27.558637Z", "2025-11-20T13:35:27.558637Z"),
            ("2018-06-01T10:11:12Z", "2018-06-01T10:11:12Z"),
            ("2022-07-25T22:19:09.903683708Z", "2022-07-25T22:19:09.903683708Z"),
            ("2025-01-01T00:00:00+00:00", "2025-01-01T00:00:00Z"),
            ("2025-01-01T01:30:00.5+01:30", "2025-01-01T00:00:00.5Z"),
        ] {
            assert_eq!(timestamp(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn bigquerys_canonical_formats_are_parsed() {
        for (text, expected) in [
            ("2026-1-2", "2026-01-02T00:00:00Z"),
            ("2026-01-02 3:4:5", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05Z"),
            ("2026-01-02 03:04:05-8", "2026-01-02T11:04:05Z"),
            ("1767322845", "2026-01-02T03:00:45Z"),
            ("1767322845.25", "2026-01-02T03:00:45.25Z"),
            ("-0.5", "1969-12-31T23:59:59.5Z"),
        ] {
            assert_eq!(timestamp(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn formats_that_bigquery_rejects_are_rejected() {
        for text in [
            "",
            "now",
            "20260102T030405Z",
            "2026-W01-1",
            "2026-13-01",
            "2026-02-30",
            "0000-01-01",
            "2026-01-02T03:04",
            "2026-01-02T25:00:00Z",
            "2026-01-02T03:04:05.1234567890Z",
            "2026-01-02T03:04:05+99",
            "2026-01-02T03:04:05Zz",
            "9999-12-31T23:59:59-01:00",
            "1e9",
            "--1",
            "1767322845000",
            "2026-01-02 ",
            "２０２６-01-02",
        ] {
            assert_eq!(timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_last_hours_of_9999_are_after_all_timestamps() {
        for text in ["9999-12-31T23:59:59Z", "9999-12-31", "9999-12-31T23:59:59-01:00"] {
            assert!(is_after_all_timestamps(text) && timestamp(text).is_none(), "{text}");
        }
        for text in ["9999-12-30T21:59:59Z", "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+14", "2026-02-30", "", "never"] {
            assert!(!is_after_all_timestamps(text), "{text}");
        }
    }

    #[test]
    fn dates_times_and_datetimes_are_parsed() {
        assert_eq!(parse_date("2024-2-29").unwrap().to_string(), "2024-02-29");
        assert_eq!(parse_date("2023-02-29"), None);
        assert_eq!(parse_time("1:02:03.000004").unwrap().to_string(), "01:02:03.000004");
        assert_eq!(parse_time("24:00:00"), None);
        assert_eq!(parse_datetime("2026-01-02t03:04:05").unwrap().to_string(), "2026-01-02T03:04:05");
        assert_eq!(parse_datetime("2026-01-02T03:04:05Z"), None);
    }
}
