//! Which of several tasks an entry belongs to.
//!
//! An entry of a file belongs to a task by its number, an object by its name, a dead letter by its event_id. All tasks get
//! the same arguments and do not communicate. Entries are divided by number because that needs no
//! hash: every task reads the whole file, which costs little compared with storing its part. Objects are divided
//! by name, not by position, because objects may be added while tasks start.

use sha2::{Digest as _, Sha256};

/// This task, and the number of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) index: u32,
    pub(crate) count: u32,
}

impl Shard {
    /// `None` if `index` is too large.
    pub(crate) fn new(index: u32, count: u32) -> Option<Self> {
        (index < count).then_some(Self { index, count })
    }

    pub(crate) fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Whether the whole object belongs to this task.
    pub(crate) fn has_object(self, name: &str) -> bool {
        self.has(seed(name))
    }

    /// Whether the entry with this number belongs to this task. The file's [`seed`] keeps the first entries of all files
    /// from belonging to the same task.
    pub(crate) fn has_entry(self, seed: u64, number: u64) -> bool {
        self.has(seed.wrapping_add(number))
    }

    fn has(self, number: u64) -> bool {
        number % u64::from(self.count) == u64::from(self.index)
    }
}

/// A number derived from a name.
pub(crate) fn seed(name: &str) -> u64 {
    let hash = Sha256::digest(name);
    // 7 bytes: adding the number of an entry cannot overflow.
    hash[..7].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_and_object_belongs_to_one_task() {
        let tasks: Vec<Shard> = (0..7).map(|index| Shard::new(index, 7).unwrap()).collect();
        for line in 0..100 {
            let name = format!("2026/01/02/{line}.json");
            assert_eq!(tasks.iter().filter(|task| task.has_entry(seed("a.jsonl"), line)).count(), 1);
            assert_eq!(tasks.iter().filter(|task| task.has_object(&name)).count(), 1);
        }
        assert_eq!(Shard::new(7, 7), None);
        assert_eq!(Shard::new(0, 0), None);
    }
}
