//! Time zones: names of the embedded tz database, `UTC`, and offsets.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::super::function_error::FunctionError;
use crate::civil_time;

/// A time zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    pub(crate) const UTC: Zone = Zone(TimeZone::UTC);

    /// Returns the offset from UTC in seconds at this time.
    pub(crate) fn offset(&self, timestamp: i64) -> i64 {
        if let Ok(offset) = self.0.to_fixed_offset() {
            return i64::from(offset.seconds());
        }
        // BigQuery's range ends a day after jiff's. No zone changes on that day.
        let known = Timestamp::from_microsecond(timestamp).unwrap_or(Timestamp::MAX);
        i64::from(self.0.to_offset(known).seconds())
    }

    /// Returns the offset without seconds. Text formats show whole minutes.
    pub(crate) fn offset_to_minute(&self, timestamp: i64) -> i64 {
        self.offset(timestamp) / 60 * 60
    }

    /// Converts a timestamp to civil microseconds in this zone.
    pub(crate) fn civil(&self, timestamp: i64) -> i64 {
        timestamp + self.offset(timestamp) * 1_000_000
    }

    /// Converts civil microseconds in this zone to a timestamp. A repeated time maps to its first
    /// occurrence. A skipped time uses the offset before the transition.
    pub(crate) fn timestamp(&self, civil: i64) -> i64 {
        let offset = match self.0.to_fixed_offset() {
            Ok(offset) => offset,
            Err(_) => self.civil_offset(civil_time::datetime(civil)),
        };
        civil - i64::from(offset.seconds()) * 1_000_000
    }

    fn civil_offset(&self, civil: DateTime) -> Offset {
        match self.0.to_ambiguous_timestamp(civil).offset() {
            jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset,
            jiff::tz::AmbiguousOffset::Gap { before, .. } | jiff::tz::AmbiguousOffset::Fold { before, .. } => before,
        }
    }
}

impl FromStr for Zone {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Zone, FunctionError> {
        let unknown = || FunctionError::new(format!("Invalid time zone: {text}"));
        if let Some(seconds) = parse_offset(text) {
            return Ok(Zone(TimeZone::fixed(Offset::from_seconds(seconds).map_err(|_| unknown())?)));
        }
        if text.eq_ignore_ascii_case("utc") || text.eq_ignore_ascii_case("z") {
            return Ok(Zone::UTC);
        }
        TimeZone::get(text).map(Zone).map_err(|_| unknown())
    }
}

/// Parses `[UTC](+|-)H[H][[:]M[M]]`, up to 14 hours, as seconds.
fn parse_offset(text: &str) -> Option<i32> {
    let text = text.strip_prefix("UTC").unwrap_or(text);
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() > 2 => rest.split_at_checked(2)?,
        None => (rest, "0"),
    };
    let number = |digits: &str| -> Option<i32> {
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| plain)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 14 * 60).then_some(sign * (hours * 3_600 + minutes * 60))
}
