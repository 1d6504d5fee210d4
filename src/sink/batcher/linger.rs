//! How long a row waits for others while inserts of its table are in flight.
//!
//! The wait is a step for each insert in flight, in whole milliseconds, which is the resolution of tokio's timers. A row whose
//! wait is shorter than a millisecond is sent at once. If a table's inserts take the time L, one starts every n steps,
//! and n of them are in flight: n² = L / step. With the default step of 0.25 ms and answers after 33 ms, 11 inserts are in
//! flight and a row waits for at most 3 ms.
//!
//! While a table has no answers, the waits grow with the silence. A table that does not answer at all has some 70 inserts
//! in flight after 8 s, and a row behind them has waited for an eighth of that time, not for their deadline.

use std::time::Duration;

/// The number of inserts in flight at which a row waits for BATCH_MAX_LINGER.
const INSERTS_AT_MAX: u32 = 64;
/// Time without an answer after which a table is slow.
const SLOW_ANSWER: Duration = Duration::from_millis(128);
/// The part of that time that a row waits for.
const SLOW_SHARE: u32 = 8;
const NANOS_PER_MILLI: u32 = 1_000_000;

/// The wait of a row that finds `in_flight` inserts of its table, the last answer to which came `silence` ago.
pub(super) fn linger(max: Duration, in_flight: usize, silence: Duration) -> Duration {
    let inserts = u32::try_from(in_flight).unwrap_or(u32::MAX).min(INSERTS_AT_MAX);
    let linger = max / INSERTS_AT_MAX * inserts;
    let linger = if inserts > 0 && silence > SLOW_ANSWER { linger.max(silence / SLOW_SHARE) } else { linger };
    linger - Duration::from_nanos(u64::from(linger.subsec_nanos() % NANOS_PER_MILLI))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Duration = Duration::from_millis(16);

    #[test]
    fn the_wait_grows_with_the_inserts_up_to_its_maximum() {
        for (in_flight, micros) in [(0, 0), (3, 0), (4, 1000), (7, 1000), (8, 2000), (64, 16_000), (65, 16_000), (usize::MAX, 16_000)] {
            assert_eq!(linger(MAX, in_flight, Duration::ZERO), Duration::from_micros(micros), "{in_flight}");
            assert_eq!(linger(Duration::ZERO, in_flight, Duration::ZERO), Duration::ZERO, "{in_flight}");
        }
    }

    #[test]
    fn the_wait_grows_with_the_silence_of_a_slow_table() {
        for (silence, millis) in [(0, 1), (128, 1), (160, 20), (8_000, 1_000)] {
            assert_eq!(linger(MAX, 4, Duration::from_millis(silence)), Duration::from_millis(millis), "{silence} ms");
        }
        assert_eq!(linger(MAX, 0, Duration::from_secs(8)), Duration::ZERO, "nothing is in flight");
    }

    /// Whatever is sent is sent to a table that does not answer, and each row waits as long as it has to.
    #[test]
    fn a_table_without_answers_has_few_inserts_in_flight() {
        for (seconds, most) in [(8, 75), (50, 90), (590, 115)] {
            let (mut elapsed, mut in_flight) = (Duration::ZERO, 1);
            while elapsed < Duration::from_secs(seconds) {
                elapsed += linger(MAX, in_flight, elapsed);
                in_flight += 1;
            }
            assert!(in_flight <= most, "{in_flight} after {seconds} s");
        }
    }
}
