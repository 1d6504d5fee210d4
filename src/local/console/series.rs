//! Counts and latencies of the last five minutes, per second.

use std::collections::VecDeque;

use serde::Serialize;

/// Length of the window.
pub(crate) const WINDOW_SECS: i64 = 300;
/// Maximum number of latencies per second. Of more, a random sample is kept.
const MAX_SAMPLES: usize = 200;

/// The outcome of a delivery, as distinguished in the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChartOutcome {
    Stored,
    Filtered,
    DeadLetter,
    /// Not acknowledged. The message is delivered again.
    Nacked,
}

/// Counts and latencies of one second.
#[derive(Debug, Clone, Default)]
pub(crate) struct Second {
    /// Unix time.
    pub at: i64,
    pub stored: u32,
    pub filtered: u32,
    pub dead_letters: u32,
    pub nacked: u32,
    /// Milliseconds from request to row.
    pub latencies: Vec<u32>,
}

/// Seconds with at least one delivery, oldest first.
#[derive(Debug, Default)]
pub(crate) struct EventSeries {
    seconds: VecDeque<Second>,
}

impl EventSeries {
    /// Counts a delivery that ended in the second `at`. `latency` is in milliseconds, for stored events.
    pub(crate) fn count(&mut self, at: i64, outcome: ChartOutcome, latency: Option<u32>) {
        // If the clock was set back, count for the last second.
        if self.seconds.back().is_none_or(|last| last.at < at) {
            self.seconds.push_back(Second { at, ..Second::default() });
        }
        while self.seconds.front().is_some_and(|first| first.at <= at - WINDOW_SECS) {
            self.seconds.pop_front();
        }
        let Some(second) = self.seconds.back_mut() else { return };
        let count = match outcome {
            ChartOutcome::Stored => &mut second.stored,
            ChartOutcome::Filtered => &mut second.filtered,
            ChartOutcome::DeadLetter => &mut second.dead_letters,
            ChartOutcome::Nacked => &mut second.nacked,
        };
        *count += 1;
        let seen = second.stored as usize;
        match latency {
            Some(latency) if second.latencies.len() < MAX_SAMPLES => second.latencies.push(latency),
            Some(latency) => {
                if let Some(slot) = second.latencies.get_mut(fastrand::usize(..seen.max(1))) {
                    *slot = latency;
                }
            }
            None => {}
        }
    }

    /// The seconds later than `now - WINDOW_SECS`.
    pub(crate) fn since(&self, now: i64) -> Vec<Second> {
        self.seconds.iter().filter(|second| second.at > now - WINDOW_SECS).cloned().collect()
    }
}

/// Counts and latencies of one minute.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Minute {
    /// 0 for the current minute.
    minutes_ago: i64,
    stored: u32,
    filtered: u32,
    dead_letters: u32,
    nacked: u32,
    p50: Option<u32>,
    p95: Option<u32>,
}

/// The window per minute, latest first.
pub(crate) fn minutes(seconds: &[Second], now: i64) -> Vec<Minute> {
    let minute = |minutes_ago: i64| {
        let within: Vec<&Second> = seconds.iter().filter(|second| (now - second.at).div_euclid(60).max(0) == minutes_ago).collect();
        let sum = |count: fn(&Second) -> u32| within.iter().map(|second| count(second)).sum();
        let mut latencies: Vec<u32> = within.iter().flat_map(|second| second.latencies.iter().copied()).collect();
        Minute {
            minutes_ago,
            stored: sum(|second| second.stored),
            filtered: sum(|second| second.filtered),
            dead_letters: sum(|second| second.dead_letters),
            nacked: sum(|second| second.nacked),
            p50: quantile(&mut latencies, 0.5),
            p95: quantile(&mut latencies, 0.95),
        }
    };
    (0..WINDOW_SECS / 60).map(minute).collect()
}

/// Quantile by nearest rank. Sorts the values.
pub(crate) fn quantile(values: &mut [u32], share: f64) -> Option<u32> {
    values.sort_unstable();
    let rank = (share * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dropped_after_five_minutes() {
        let mut series = EventSeries::default();
        series.count(1000, ChartOutcome::Stored, Some(5));
        series.count(1000, ChartOutcome::DeadLetter, None);
        series.count(1299, ChartOutcome::Filtered, None);
        let seen: Vec<_> = series.since(1299).iter().map(|s| (s.at, s.stored, s.filtered, s.dead_letters)).collect();
        assert_eq!(seen, [(1000, 1, 0, 1), (1299, 0, 1, 0)]);
        assert_eq!(series.since(1300).len(), 1, "a second that is five minutes old is not shown");
        series.count(1300, ChartOutcome::Nacked, None);
        assert_eq!(series.seconds.len(), 2, "and it is not kept");
    }

    #[test]
    fn a_busy_second_keeps_a_sample_of_its_latencies() {
        let mut series = EventSeries::default();
        for latency in 0..1000 {
            series.count(1, ChartOutcome::Stored, Some(latency));
        }
        let second = &series.since(1)[0];
        assert_eq!((second.stored, second.latencies.len()), (1000, MAX_SAMPLES));
        assert!(second.latencies.iter().any(|latency| *latency >= MAX_SAMPLES as u32), "not only the first");
    }

    #[test]
    fn each_second_belongs_to_one_minute() {
        let mut series = EventSeries::default();
        for at in [1000, 1240, 1241, 1300] {
            series.count(at, ChartOutcome::Stored, Some(at as u32));
        }
        let minutes = minutes(&series.since(1300), 1300);
        assert_eq!(
            minutes.iter().map(|minute| (minute.minutes_ago, minute.stored)).collect::<Vec<_>>(),
            [(0, 2), (1, 1), (2, 0), (3, 0), (4, 0)]
        );
        assert_eq!((minutes[0].p50, minutes[0].p95, minutes[2].p50), (Some(1241), Some(1300), None));
    }

    #[test]
    fn quantiles_use_the_nearest_rank() {
        let mut values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!((quantile(&mut values, 0.5), quantile(&mut values, 0.95)), (Some(50), Some(95)));
        assert_eq!((quantile(&mut [7], 0.95), quantile(&mut [], 0.5)), (Some(7), None));
    }
}
