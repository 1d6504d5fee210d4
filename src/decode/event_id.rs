//! The identity of an event, equal for every delivery of the same log entry.
//!
//! Cloud Logging can export one entry twice, as two messages, and Pub/Sub can deliver one message twice. Such duplicates
//! have the same (logName, timestamp, insertId); two requests differ in it. The id is the row's `insertId`, with which
//! BigQuery deduplicates for about a minute, and a column, with which a query can deduplicate later.

use std::fmt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// 32 hexadecimal digits: 128 bits of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId([u8; 32]);

impl EventId {
    /// Of a log entry with an insertId. `instant` is the parsed timestamp and replaces the text, because an archive can
    /// write `.500Z` for `.5Z`.
    pub fn of_entry(log_name: &str, timestamp: &str, instant: Option<Timestamp>, insert_id: &str) -> Self {
        match instant {
            Some(instant) => Self::hash(&[b"entry", log_name.as_bytes(), &instant.as_nanosecond().to_le_bytes(), insert_id.as_bytes()]),
            None => Self::hash(&[b"entry", log_name.as_bytes(), timestamp.as_bytes(), insert_id.as_bytes()]),
        }
    }

    /// Of a message without an entry, or whose entry has no insertId.
    pub fn of_message(message_id: &str) -> Self {
        Self::hash(&[b"message", message_id.as_bytes()])
    }

    /// Of a payload without any id.
    pub fn of_data(data: &[u8]) -> Self {
        Self::digest(Sha256::new().chain_update(b"data").chain_update(data))
    }

    /// Hashes each part with its length, so that two different lists of parts have different input.
    fn hash(parts: &[&[u8]]) -> Self {
        Self::digest(parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update((part.len() as u64).to_le_bytes()).chain_update(part)))
    }

    fn digest(hash: Sha256) -> Self {
        let mut digits = [0; 32];
        hex::encode_to_slice(&hash.finalize()[..16], &mut digits).expect("16 bytes are 32 digits");
        Self(digits)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are UTF-8")
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_instants_in_other_formats_have_the_same_id() {
        let at = |text: &str| EventId::of_entry("log", text, super::super::civil::parse_timestamp(text), "id");
        assert_eq!(at("2026-01-02T03:04:05.5Z"), at("2026-01-02T03:04:05.500000000+00:00"));
        assert_ne!(at("2026-01-02T03:04:05.5Z"), at("2026-01-02T03:04:05.500000001Z"));
    }

    #[test]
    fn moving_text_between_parts_changes_the_id() {
        assert_ne!(EventId::of_entry("a", "b", None, "c"), EventId::of_entry("ab", "", None, "c"));
        assert_ne!(EventId::of_message("1"), EventId::of_data(b"1"));
    }

    /// Stored rows outlive releases: this value must never change.
    #[test]
    fn the_id_is_stable_across_releases() {
        let id = EventId::of_entry(
            "projects/p/logs/requests",
            "2026-01-02T03:04:05.123456Z",
            "2026-01-02T03:04:05.123456Z".parse().ok(),
            "1abcdefg2hijkl",
        );
        assert_eq!(id.as_str(), "90d3128ab2f7a4100ab8fee84945697b");
    }
}
