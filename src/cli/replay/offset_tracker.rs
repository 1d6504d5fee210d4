//! How far one input is processed without a gap. Entries complete in any order; a checkpoint needs a single offset.

use std::collections::VecDeque;

use crate::cli::documents::Position;

/// The entries of one input that are in progress, in the order of the input.
#[derive(Debug)]
pub(crate) struct OffsetTracker {
    committed: Position,
    /// Where each entry ends, and whether it is complete.
    in_progress: VecDeque<(Position, bool)>,
    /// How many entries were removed from the front of `in_progress`.
    removed: u64,
    /// An entry failed: the next run reads again from there on.
    has_failed: bool,
}

impl OffsetTracker {
    pub(crate) fn new(start: Position) -> Self {
        Self { committed: start, in_progress: VecDeque::new(), removed: 0, has_failed: false }
    }

    /// Adds an entry that ends at `end`, and returns its sequence number.
    pub(crate) fn start(&mut self, end: Position) -> u64 {
        if self.has_failed {
            return u64::MAX;
        }
        self.in_progress.push_back((end, false));
        self.removed + self.in_progress.len() as u64 - 1
    }

    pub(crate) fn complete(&mut self, sequence: u64) {
        if let Some((_, is_complete)) = self.index(sequence).and_then(|index| self.in_progress.get_mut(index)) {
            *is_complete = true;
        }
        while let Some((end, true)) = self.in_progress.front() {
            self.committed = *end;
            self.in_progress.pop_front();
            self.removed += 1;
        }
    }

    /// The committed offset never passes this entry.
    pub(crate) fn fail(&mut self, sequence: u64) {
        if let Some(index) = self.index(sequence).filter(|index| *index < self.in_progress.len()) {
            // The entries after it cannot move the offset any more. Forgetting them bounds the memory.
            self.in_progress.truncate(index + 1);
            self.has_failed = true;
        }
    }

    /// The end of the last entry before which every entry is complete.
    pub(crate) fn committed(&self) -> Position {
        self.committed
    }

    fn index(&self, sequence: u64) -> Option<usize> {
        usize::try_from(sequence.checked_sub(self.removed)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lines: u64) -> Position {
        Position { bytes: lines * 10, lines, documents: lines, ..Position::default() }
    }

    #[test]
    fn the_committed_offset_stops_before_an_incomplete_entry() {
        let mut tracker = OffsetTracker::new(at(5));
        let [six, seven, eight] = [6, 7, 8].map(|line| tracker.start(at(line)));
        tracker.complete(seven);
        assert_eq!(tracker.committed(), at(5));
        tracker.complete(six);
        assert_eq!(tracker.committed(), at(7));
        let nine = tracker.start(at(9));
        tracker.complete(nine);
        tracker.complete(eight);
        assert_eq!(tracker.committed(), at(9));
    }

    #[test]
    fn the_committed_offset_never_passes_a_failed_entry() {
        let mut tracker = OffsetTracker::new(at(0));
        let [one, two, three] = [1, 2, 3].map(|line| tracker.start(at(line)));
        tracker.fail(two);
        tracker.complete(three);
        tracker.complete(one);
        let four = tracker.start(at(4));
        tracker.complete(four);
        assert_eq!(tracker.committed(), at(1));
    }
}
