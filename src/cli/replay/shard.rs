//! Which of many tasks an entry belongs to.
//!
//! A line of a file belongs by its number, an object by its name, a dead letter by its event_id. All tasks are
//! told the same files, so that none has to know of another. By line, because that needs neither the JSON nor a
//! hash of it: every task reads the whole file, which is nothing beside storing its part. By name and not by
//! position, because objects may be added while tasks start.

use sha2::{Digest as _, Sha256};

/// One task of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) index: u32,
    pub(crate) count: u32,
}

impl Shard {
    /// `None` if there is no such task.
    pub(crate) fn new(index: u32, count: u32) -> Option<Self> {
        (index < count).then_some(Self { index, count })
    }

    pub(crate) fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Whether the source as a whole is this task's.
    pub(crate) fn has_source(self, name: &str) -> bool {
        self.has(seed(name))
    }

    /// Whether the line with this number is this task's. `seed` is that of the file, or the first lines of all
    /// files would belong to the same task.
    pub(crate) fn has_line(self, seed: u64, line: u64) -> bool {
        self.has(seed.wrapping_add(line))
    }

    fn has(self, number: u64) -> bool {
        number % u64::from(self.count) == u64::from(self.index)
    }
}

/// A number that follows from a name.
pub(crate) fn seed(name: &str) -> u64 {
    let hash = Sha256::digest(name);
    // So that it never overflows a line's number.
    hash[..7].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_and_every_source_has_exactly_one_task() {
        let tasks: Vec<Shard> = (0..7).map(|index| Shard::new(index, 7).unwrap()).collect();
        for line in 0..100 {
            let name = format!("2026/01/02/{line}.json");
            assert_eq!(tasks.iter().filter(|task| task.has_line(seed("a.jsonl"), line)).count(), 1);
            assert_eq!(tasks.iter().filter(|task| task.has_source(&name)).count(), 1);
        }
        assert_eq!(Shard::new(7, 7), None);
        assert_eq!(Shard::new(0, 0), None);
    }
}
