//! The identity of an event, equal for every delivery of the same log entry.
//!
//! Cloud Logging may export one entry twice, as two messages, and Pub/Sub may deliver one message
//! twice; only (logName, timestamp, insertId) tells such twins from two requests. The id is the
//! row's `insertId`, by which BigQuery drops the second copy for about a minute, and a column, by
//! which a query can for ever.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// 32 hexadecimal digits: 128 bits of a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventId(String);

impl EventId {
    /// Of a log entry with an insertId. The timestamp counts as an instant where it is one, since
    /// an archive may spell `.5Z` as `.500Z`.
    pub fn of_entry(log_name: &str, timestamp: &str, instant: Option<Timestamp>, insert_id: &str) -> Self {
        match instant {
            Some(instant) => Self::hash(&["entry", log_name, &instant.as_nanosecond().to_string(), insert_id]),
            None => Self::hash(&["entry", log_name, timestamp, insert_id]),
        }
    }

    /// Of a message whose entry has no insertId, or that holds no entry.
    pub fn of_message(message_id: &str) -> Self {
        Self::hash(&["message", message_id])
    }

    /// Of a payload of which nothing is known but itself.
    pub fn of_data(data: &[u8]) -> Self {
        Self::digest(Sha256::new().chain_update(b"data").chain_update(data))
    }

    /// Each part with its length, so that no two lists of parts read the same.
    fn hash(parts: &[&str]) -> Self {
        Self::digest(parts.iter().fold(Sha256::new(), |hash, part| {
            hash.chain_update((part.len() as u64).to_le_bytes()).chain_update(part)
        }))
    }

    fn digest(hash: Sha256) -> Self {
        Self(hex(&hash.finalize()[..16]))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|nibble| DIGITS[usize::from(nibble)] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spelling_of_an_instant_does_not_change_the_identity() {
        let at = |text: &str| EventId::of_entry("log", text, super::super::civil::parse_timestamp(text), "id");
        assert_eq!(at("2026-01-02T03:04:05.5Z"), at("2026-01-02T03:04:05.500000000+00:00"));
        assert_ne!(at("2026-01-02T03:04:05.5Z"), at("2026-01-02T03:04:05.500000001Z"));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(EventId::of_entry("a", "b", None, "c"), EventId::of_entry("ab", "", None, "c"));
        assert_ne!(EventId::of_message("1"), EventId::of_data(b"1"));
    }

    /// Stored rows outlive releases: this value must never change.
    #[test]
    fn the_identity_is_stable_across_releases() {
        let id = EventId::of_entry("projects/p/logs/requests", "2026-01-02T03:04:05.123456Z", "2026-01-02T03:04:05.123456Z".parse().ok(), "1abcdefg2hijkl");
        assert_eq!(id.as_str(), "e9003dcc1eb794bd1e7c5665aec7fefe");
    }
}
