//! `--since` and `--until`: which entries are processed by their time.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::outcome::SkipReason;
use crate::decode::{PubsubMessage, civil, event};

/// A time on the command line: RFC 3339, or a date, which means midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeArg(pub(crate) Timestamp);

impl FromStr for TimeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let time = civil::parse_timestamp(text).filter(|_| !is_number);
        time.map(Self).ok_or_else(|| format!("{text:?} is not a time: use 2026-01-02 or 2026-01-02T03:04:05Z"))
    }
}

/// From `since` (inclusive) to `until` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) since: Option<TimeArg>,
    pub(crate) until: Option<TimeArg>,
}

impl Period {
    /// Every entry, also one without a time.
    pub(crate) const ALL: Self = Self { since: None, until: None };

    pub(crate) fn contains(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|TimeArg(since)| since <= time) && self.until.is_none_or(|TimeArg(until)| time < until)
    }

    /// Why the message is not processed, if it is not.
    pub(crate) fn skip_reason(&self, message: &PubsubMessage<'_>) -> Option<SkipReason> {
        if *self == Self::ALL {
            return None;
        }
        match event::time_of(message) {
            Some(time) if self.contains(time) => None,
            Some(_) => Some(SkipReason::OutsidePeriod),
            None => Some(SkipReason::NoTimestamp),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |time: Option<TimeArg>| time.map(|TimeArg(time)| time.to_string()).unwrap_or_default();
        write!(f, "{}..{}", end(self.since), end(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_includes_its_start_and_excludes_its_end() {
        let period = Period { since: Some("2026-01-02".parse().unwrap()), until: Some("2026-01-03T00:00:00Z".parse().unwrap()) };
        let contains = |text: &str| period.contains(text.parse().unwrap());
        assert!(contains("2026-01-02T00:00:00Z") && contains("2026-01-02T23:59:59.999Z"));
        assert!(!contains("2026-01-01T23:59:59.999Z") && !contains("2026-01-03T00:00:00Z"));
        assert_eq!(period.to_string(), "2026-01-02T00:00:00Z..2026-01-03T00:00:00Z");
        for text in ["", "yesterday", "1767323045", "2026-13-01"] {
            assert!(text.parse::<TimeArg>().is_err(), "{text}");
        }
    }
}
