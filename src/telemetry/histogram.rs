//! Histograms with fixed buckets, without a lock, and quantiles of the values recorded between two reads.
//!
//! Written by hand because one histogram serves both the Prometheus text (which needs fixed bucket bounds) and the
//! report (which needs quantiles). The sketches of `metrics-util` and `hdrhistogram` take `&mut self` and would need a
//! lock for each event. They have no fixed bounds and would need a second histogram.

use std::sync::atomic::{AtomicU64, Ordering};

/// Ratio of two neighbouring bounds in [`fine_bounds`]: a quantile is off by 5 % at most.
const GROWTH: f64 = 1.1;
/// Lowest bound in [`fine_bounds`]: the clocks of the load balancer and of this machine differ by about as much.
const LOWEST_FINE_BOUND: f64 = 0.1;
/// Eleven days; Pub/Sub keeps messages for seven.
const HIGHEST_FINE_BOUND: f64 = 1e6;

/// Counts by bucket. All recorded values are at least 0.
#[derive(Debug)]
pub(crate) struct Histogram {
    /// Inclusive upper bounds of all buckets but the last, ascending.
    bounds: Box<[f64]>,
    /// One more than `bounds`.
    counts: Box<[AtomicU64]>,
    /// The bits of an `f64`.
    sum: AtomicU64,
    /// The largest value since [`take_max`](Self::take_max), as the bits of an `f64`. Bits of numbers from 0 up have
    /// the order of the numbers.
    max: AtomicU64,
}

/// The counts of a histogram at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Buckets {
    counts: Vec<u64>,
    /// Sum of all recorded values.
    pub sum: f64,
}

impl Histogram {
    pub(crate) fn new(bounds: &[f64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds: bounds.into(), counts, sum: AtomicU64::new(0), max: AtomicU64::new(0) }
    }

    /// Buckets fine enough for quantiles, with all of `bounds` among their bounds.
    pub(crate) fn with_fine_buckets(bounds: &[f64]) -> Self {
        let mut all = fine_bounds();
        all.extend_from_slice(bounds);
        all.sort_by(f64::total_cmp);
        all.dedup();
        Self::new(&all)
    }

    pub(crate) fn record(&self, value: f64) {
        let value = value.max(0.0);
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.max.fetch_max(value.to_bits(), Ordering::Relaxed);
        let add = |sum: u64| Some((f64::from_bits(sum) + value).to_bits());
        // `add` always returns a value.
        let _ = self.sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    pub(crate) fn read(&self) -> Buckets {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Buckets { counts, sum: f64::from_bits(self.sum.load(Ordering::Relaxed)) }
    }

    /// The largest value since the last call; 0 without a value.
    pub(crate) fn take_max(&self) -> f64 {
        f64::from_bits(self.max.swap(0, Ordering::Relaxed))
    }

    /// How many recorded values are at most `bound`, which is a bound of this histogram.
    pub(crate) fn count_up_to(&self, bound: f64, buckets: &Buckets) -> u64 {
        let after = self.bounds.partition_point(|other| *other <= bound);
        buckets.counts.iter().take(after).sum()
    }

    /// The value at that quantile (0 to 1) of `buckets`, of which `max` is the largest; exact for the largest.
    pub(crate) fn quantile(&self, quantile: f64, buckets: &Buckets, max: f64) -> f64 {
        let Some(last) = buckets.counts.iter().rposition(|count| *count > 0) else { return 0.0 };
        // A value recorded during the read may be in `buckets` and not in `max`.
        let max = max.max(self.lower_bound(last));
        let count = buckets.count();
        let rank = (count as f64 * quantile).ceil().max(1.0) as u64;
        if rank >= count {
            return max;
        }
        let mut seen = 0;
        let bucket = buckets.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        let bucket = bucket.unwrap_or(last);
        let Some(upper) = self.bounds.get(bucket) else { return max };
        let lower = self.lower_bound(bucket).max(upper / GROWTH);
        (lower * upper).sqrt().min(max)
    }

    fn lower_bound(&self, bucket: usize) -> f64 {
        bucket.checked_sub(1).map_or(0.0, |before| self.bounds[before])
    }
}

impl Buckets {
    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The values recorded after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        // `earlier` has no buckets before the first read.
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        let counts = self.counts.iter().zip(before).map(|(now, before)| now - before).collect();
        Self { counts, sum: self.sum - earlier.sum }
    }
}

fn fine_bounds() -> Vec<f64> {
    std::iter::successors(Some(LOWEST_FINE_BOUND), |bound| Some(bound * GROWTH)).take_while(|bound| *bound <= HIGHEST_FINE_BOUND).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles<const N: usize>(seconds: impl IntoIterator<Item = f64>, quantiles: [f64; N]) -> [f64; N] {
        let histogram = Histogram::with_fine_buckets(&[1.0, 5.0, 60.0]);
        seconds.into_iter().for_each(|seconds| histogram.record(seconds));
        let (buckets, max) = (histogram.read(), histogram.take_max());
        quantiles.map(|quantile| histogram.quantile(quantile, &buckets, max))
    }

    #[test]
    fn quantiles_are_right_to_five_percent_and_the_largest_is_exact() {
        let found = quantiles((1..=10_000).rev().map(|n| f64::from(n) / 100.0), [0.5, 0.95, 0.99, 1.0]);
        for (found, expected) in found.into_iter().zip([50.0, 95.0, 99.0]) {
            assert!((found / expected - 1.0_f64).abs() < 0.05, "{found} for {expected}");
        }
        assert_eq!(found[3], 100.0);
    }

    #[test]
    fn a_single_value_is_every_quantile() {
        for seconds in [0.0, 0.04, 3.7, 1e9] {
            assert_eq!(quantiles([seconds], [0.5, 0.99, 1.0]), [seconds; 3]);
        }
    }

    #[test]
    fn one_slow_row_changes_only_the_maximum() {
        let [p99, max] = quantiles(std::iter::repeat_n(2.0, 999).chain([3_600.0]), [0.99, 1.0]);
        assert!((p99 / 2.0 - 1.0).abs() < 0.05, "{p99}");
        assert_eq!(max, 3_600.0);
    }

    #[test]
    fn bounds_are_inclusive_and_counted_exactly() {
        let histogram = Histogram::with_fine_buckets(&[1.0, 5.0]);
        [0.0, 1.0, 1.01, 5.0, 5.01, 1e9].into_iter().for_each(|value| histogram.record(value));
        let buckets = histogram.read();
        assert_eq!((histogram.count_up_to(1.0, &buckets), histogram.count_up_to(5.0, &buckets), buckets.count()), (2, 4, 6));
    }

    #[test]
    fn values_since_a_read_exclude_earlier_values() {
        let histogram = Histogram::new(&[1.0, 10.0]);
        let none = Buckets::default();
        histogram.record(5.0);
        let first = histogram.read();
        assert_eq!((first.since(&none).count(), first.since(&none).sum, histogram.take_max()), (1, 5.0, 5.0));
        histogram.record(0.5);
        let second = histogram.read().since(&first);
        assert_eq!((second.count(), second.sum, histogram.take_max()), (1, 0.5, 0.5));
    }
}
