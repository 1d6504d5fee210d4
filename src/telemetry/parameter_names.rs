//! Counts of URL parameters by name, in bounded memory.
//!
//! The names come from strangers. So only names that look like the name of a parameter are counted by name, and only the
//! first [`MAX_NAMES`] of them. All others are counted together as [`OTHER`].

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bound of the names, and so of the series of the metric.
const MAX_NAMES: usize = 64;
/// A longer text is more likely a value.
const MAX_NAME_BYTES: usize = 40;
/// A text with more digits is more likely an id.
const MAX_DIGITS: usize = 3;
/// The label of all other names.
pub(crate) const OTHER: &str = "(other)";

/// The counts by name.
#[derive(Debug)]
pub(crate) struct ParameterNames {
    named: [NamedCounter; MAX_NAMES],
    other: AtomicU64,
}

#[derive(Debug, Default)]
struct NamedCounter {
    name: OnceLock<Box<str>>,
    count: AtomicU64,
}

impl ParameterNames {
    pub(crate) fn new() -> Self {
        Self { named: std::array::from_fn(|_| NamedCounter::default()), other: AtomicU64::new(0) }
    }

    /// Counts one parameter. The first one of its name claims a free slot.
    pub(crate) fn increment(&self, name: &str) {
        let known = self.named.iter().map_while(|slot| Some((slot, slot.name.get()?))).find(|(_, known)| ***known == *name);
        let slot = known.map(|(slot, _)| slot).or_else(|| self.claim(name));
        slot.map_or(&self.other, |slot| &slot.count).fetch_add(1, Ordering::Relaxed);
    }

    /// A slot for a name that has none. `None` if the text is not a name, or all slots are claimed.
    fn claim(&self, name: &str) -> Option<&NamedCounter> {
        let is_of_name = |slot: &&NamedCounter| **slot.name.get_or_init(|| name.into()) == *name;
        if looks_like_a_name(name) { self.named.iter().find(is_of_name) } else { None }
    }

    /// The counts so far.
    pub(crate) fn read(&self) -> BTreeMap<String, u64> {
        let named = self.named.iter().map_while(|slot| Some((slot.name.get()?.to_string(), slot.count.load(Ordering::Relaxed))));
        let other = (OTHER.to_owned(), self.other.load(Ordering::Relaxed));
        // A slot that was claimed and not counted yet.
        named.chain([other]).filter(|(_, count)| *count > 0).collect()
    }
}

/// Letters, digits and `_-.[];`: no character that a label or a log line has to escape, and no `@` of an address.
fn looks_like_a_name(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "_-.[];".contains(c);
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    (1..=MAX_NAME_BYTES).contains(&name.len()) && digits <= MAX_DIGITS && name.chars().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_and_other_texts_together() {
        let names = ParameterNames::new();
        let hostile =
            ["", "a b", "bob@example.com", "507f1f77bcf86cd799439011", "a\"} 1\nx 2", "é", "a\\b", &"x".repeat(41), "tel-5551234"];
        for name in ["utm_campaign", "utm_campaign", "user_id[]", "amp;x", "_ga4"].into_iter().chain(hostile) {
            names.increment(name);
        }
        let expected = [("(other)", hostile.len() as u64), ("_ga4", 1), ("amp;x", 1), ("user_id[]", 1), ("utm_campaign", 2)];
        assert_eq!(names.read(), expected.map(|(name, count)| (name.to_owned(), count)).into());
    }

    #[test]
    fn the_number_of_names_is_bounded() {
        let names = ParameterNames::new();
        for number in 0..1000 {
            names.increment(&format!("n{number}"));
        }
        names.increment("n0");
        let counts = names.read();
        assert_eq!((counts.len(), counts["n0"], counts[OTHER]), (MAX_NAMES + 1, 2, 1000 - MAX_NAMES as u64));
    }
}
