//! `--since` and `--until`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::decode::civil;

/// A point in time on the command line: RFC 3339, or a date, which begins at midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let time = civil::parse_timestamp(text).filter(|_| !is_number);
        time.map(Self).ok_or_else(|| format!("{text:?} is not a time, as 2026-01-02 or 2026-01-02T03:04:05Z is"))
    }
}

/// From `since` on, and before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) since: Option<Moment>,
    pub(crate) until: Option<Moment>,
}

impl Period {
    /// Whether any time is in it.
    pub(crate) fn is_all(&self) -> bool {
        self.since.is_none() && self.until.is_none()
    }

    pub(crate) fn contains(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|Moment(since)| since <= time) && self.until.is_none_or(|Moment(until)| time < until)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |moment: Option<Moment>| moment.map(|Moment(time)| time.to_string()).unwrap_or_default();
        write!(f, "{}..{}", end(self.since), end(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_at_midnight_and_the_end_is_not_part_of_it() {
        let period = Period { since: Some("2026-01-02".parse().unwrap()), until: Some("2026-01-03T00:00:00Z".parse().unwrap()) };
        let contains = |text: &str| period.contains(text.parse().unwrap());
        assert!(contains("2026-01-02T00:00:00Z") && contains("2026-01-02T23:59:59.999Z"));
        assert!(!contains("2026-01-01T23:59:59.999Z") && !contains("2026-01-03T00:00:00Z"));
        assert_eq!(period.to_string(), "2026-01-02T00:00:00Z..2026-01-03T00:00:00Z");
        for text in ["", "yesterday", "1767323045", "2026-13-01"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }
}
