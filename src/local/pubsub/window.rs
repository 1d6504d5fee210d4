//! The push window: how many deliveries may be under way at once.
//!
//! A slow start, as the service documents it: a small number at first, one more for each
//! acknowledgement (so that it doubles with every round), half for each failure
//! (<https://cloud.google.com/pubsub/docs/push#push_backoff>). What exactly a failure takes away
//! is not documented now; half is what older editions said.

/// "A small single-digit number."
const INITIAL_SIZE: usize = 3;
/// The service's is 3,000 for each region that delivers. Here, both ends of each connection are
/// files of this one process, of which many systems allow 1,024.
const MAX_SIZE: usize = 200;

/// How many deliveries may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window(usize);

impl Default for Window {
    fn default() -> Self {
        Self(INITIAL_SIZE)
    }
}

impl Window {
    pub(crate) fn has_room(self, in_flight: usize) -> bool {
        in_flight < self.0
    }

    pub(crate) fn acked(&mut self) {
        self.0 = (self.0 + 1).min(MAX_SIZE);
    }

    pub(crate) fn failed(&mut self) {
        self.0 = (self.0 / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds until `size` deliveries may be under way, where all are acknowledged.
    fn rounds_to(size: usize) -> usize {
        let mut window = Window::default();
        let mut rounds = 0;
        while window.0 < size {
            rounds += 1;
            (0..window.0).for_each(|_| window.acked());
        }
        rounds
    }

    #[test]
    fn it_doubles_with_every_round_up_to_its_largest() {
        assert_eq!([3, 6, 12, 24].map(rounds_to), [0, 1, 2, 3]);
        assert_eq!(rounds_to(MAX_SIZE), 7);
        let mut window = Window(MAX_SIZE);
        window.acked();
        assert_eq!(window, Window(MAX_SIZE));
    }

    #[test]
    fn a_storm_of_failures_leaves_one_and_it_recovers() {
        let mut window = Window(MAX_SIZE);
        (0..MAX_SIZE).for_each(|_| window.failed());
        assert!(window.has_room(0) && !window.has_room(1));
        window.acked();
        assert!(window.has_room(1));
    }
}
