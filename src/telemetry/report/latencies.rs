//! Quantiles of the seconds from request to row, in constant memory.
//!
//! Counts in buckets that grow by a tenth, not samples: a busy instance stores some 100,000 rows in
//! a minute, and of fewer samples than rows the 99th percentile would be a matter of luck. A bucket
//! is off by 5 % at most, which for seconds is nothing.

/// Below, all is one: the clocks of the load balancer and of this machine do not agree any better.
const SHORTEST: f64 = 0.1;
const GROWTH: f64 = 1.1;
/// The last begins after eleven days, and Pub/Sub keeps messages for seven.
const BUCKETS: usize = 172;

/// Counts by length.
#[derive(Debug)]
pub(crate) struct Latencies {
    counts: [u32; BUCKETS],
    count: u64,
    longest: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: [0; BUCKETS], count: 0, longest: 0.0 }
    }
}

impl Latencies {
    pub(crate) fn record(&mut self, seconds: f64) {
        let steps = (seconds / SHORTEST).ln() / GROWTH.ln();
        // A float becomes the nearest of the integers that there are: 0 for what is below.
        let bucket = (steps.ceil() as usize).min(BUCKETS - 1);
        self.counts[bucket] = self.counts[bucket].saturating_add(1);
        self.count += 1;
        self.longest = self.longest.max(seconds);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// In seconds; the longest one is exact.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let rank = (self.count as f64 * quantile).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank && rank < self.count {
                // The middle of the bucket.
                return (SHORTEST * GROWTH.powf(bucket as f64 - 0.5)).min(self.longest);
            }
        }
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn latencies(seconds: impl IntoIterator<Item = f64>) -> Latencies {
        let mut latencies = Latencies::default();
        seconds.into_iter().for_each(|seconds| latencies.record(seconds));
        latencies
    }

    #[test]
    fn quantiles_are_right_to_five_percent_and_the_longest_is_exact() {
        let latencies = latencies((1..=10_000).rev().map(|n| f64::from(n) / 100.0));
        for (quantile, expected) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0)] {
            let found = latencies.quantile(quantile);
            assert!((found / expected - 1.0).abs() < 0.05, "{quantile}: {found}");
        }
        assert_eq!(latencies.quantile(1.0), 100.0);
    }

    #[test]
    fn a_single_latency_is_every_quantile() {
        for seconds in [0.0, 0.04, 3.7, 1e9] {
            let latencies = latencies([seconds]);
            assert!(!latencies.is_empty());
            for quantile in [0.5, 0.99, 1.0] {
                assert_eq!(latencies.quantile(quantile), seconds, "{quantile}");
            }
        }
        assert!(Latencies::default().is_empty());
    }

    #[test]
    fn one_slow_row_among_many_is_the_longest_and_no_percentile() {
        let latencies = latencies(std::iter::repeat_n(2.0, 999).chain([3_600.0]));
        assert!((latencies.quantile(0.99) / 2.0 - 1.0).abs() < 0.05);
        assert_eq!(latencies.quantile(1.0), 3_600.0);
    }
}
