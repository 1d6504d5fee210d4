//! The push window: the maximum number of deliveries in flight.
//!
//! It follows the documented slow start: a small initial number, one more for each acknowledgement (so that it doubles
//! each round), and half after a failure (<https://cloud.google.com/pubsub/docs/push#push_backoff>). The reduction after
//! a failure is no longer documented; earlier editions of that page documented half.

/// Documented as "a small single-digit number".
const INITIAL_SIZE: usize = 3;
/// Pub/Sub's maximum is 3,000 per region. Here, both ends of each connection are file descriptors of this process, and
/// many systems allow 1,024.
const MAX_SIZE: usize = 200;

/// The maximum number of deliveries in flight.
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

    /// Rounds until the window has this size, if all deliveries are acknowledged.
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
    fn the_window_doubles_each_round_up_to_its_maximum() {
        assert_eq!([3, 6, 12, 24].map(rounds_to), [0, 1, 2, 3]);
        assert_eq!(rounds_to(MAX_SIZE), 7);
        let mut window = Window(MAX_SIZE);
        window.acked();
        assert_eq!(window, Window(MAX_SIZE));
    }

    #[test]
    fn failures_shrink_the_window_to_one_and_it_recovers() {
        let mut window = Window(MAX_SIZE);
        (0..MAX_SIZE).for_each(|_| window.failed());
        assert!(window.has_room(0) && !window.has_room(1));
        window.acked();
        assert!(window.has_room(1));
    }
}
