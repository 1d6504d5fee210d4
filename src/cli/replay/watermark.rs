//! Up to where everything of a source is settled. Entries are settled in any order; a checkpoint knows only one.

use std::collections::VecDeque;

use super::lines::Offset;

/// The entries of one source that are under way, in their order.
#[derive(Debug)]
pub(crate) struct Watermark {
    settled: Offset,
    /// Where each ends, and whether it is settled.
    open: VecDeque<(Offset, bool)>,
    /// How many are out of `open` already.
    gone: u64,
    /// An entry was given up: from there on everything is to be read again.
    is_stuck: bool,
}

impl Watermark {
    pub(crate) fn new(start: Offset) -> Self {
        Self { settled: start, open: VecDeque::new(), gone: 0, is_stuck: false }
    }

    /// An entry that ends there is under way; the number is its name.
    pub(crate) fn begin(&mut self, end: Offset) -> u64 {
        if self.is_stuck {
            return u64::MAX;
        }
        self.open.push_back((end, false));
        self.gone + self.open.len() as u64 - 1
    }

    pub(crate) fn settle(&mut self, number: u64) {
        let index = number.checked_sub(self.gone).and_then(|index| usize::try_from(index).ok());
        if let Some((_, settled)) = index.and_then(|index| self.open.get_mut(index)) {
            *settled = true;
        }
        while let Some((end, true)) = self.open.front() {
            self.settled = *end;
            self.open.pop_front();
            self.gone += 1;
        }
    }

    /// The entry will not be settled.
    pub(crate) fn give_up(&mut self, number: u64) {
        let index = number.checked_sub(self.gone).and_then(|index| usize::try_from(index).ok());
        if let Some(index) = index.filter(|index| *index < self.open.len()) {
            // What comes after it does not matter any more, however much that is. It stays itself, never settled.
            self.open.truncate(index + 1);
            self.is_stuck = true;
        }
    }

    pub(crate) fn settled(&self) -> Offset {
        self.settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lines: u64) -> Offset {
        Offset { bytes: lines * 10, lines }
    }

    #[test]
    fn nothing_is_passed_that_is_not_settled() {
        let mut mark = Watermark::new(at(5));
        let [six, seven, eight] = [6, 7, 8].map(|line| mark.begin(at(line)));
        mark.settle(seven);
        assert_eq!(mark.settled(), at(5));
        mark.settle(six);
        assert_eq!(mark.settled(), at(7));
        let nine = mark.begin(at(9));
        mark.settle(nine);
        mark.settle(eight);
        assert_eq!(mark.settled(), at(9));
    }

    #[test]
    fn what_is_given_up_stops_it_for_good() {
        let mut mark = Watermark::new(at(0));
        let [one, two, three] = [1, 2, 3].map(|line| mark.begin(at(line)));
        mark.give_up(two);
        mark.settle(three);
        mark.settle(one);
        let four = mark.begin(at(4));
        mark.settle(four);
        assert_eq!(mark.settled(), at(1));
    }
}
