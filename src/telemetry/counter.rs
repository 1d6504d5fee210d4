//! Counters of one metric, one for each combination of label values, without a lock.
//!
//! Label values are string constants of the code, so a metric has few series and a linear search over the first
//! slots is cheaper than a hash map behind a lock.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The values of a metric's one or two labels; the second is empty where there is one.
pub type Labels = (&'static str, &'static str);

/// Upper bound of the series of one metric. A test in `metrics` shows that the documented ones fit.
pub(crate) const MAX_SERIES: usize = 96;

/// All series of one metric.
#[derive(Debug)]
pub(crate) struct Counters([LabelledCounter; MAX_SERIES]);

#[derive(Debug, Default)]
struct LabelledCounter {
    labels: OnceLock<Labels>,
    count: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| LabelledCounter::default()))
    }

    /// Counts one event. The first event with its labels claims a free slot.
    pub(crate) fn increment(&self, labels: Labels) {
        let series = self.0.iter().find(|series| *series.labels.get_or_init(|| labels) == labels);
        debug_assert!(series.is_some(), "more than {MAX_SERIES} series");
        if let Some(series) = series {
            series.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts so far, in the order of the labels.
    pub(crate) fn read(&self) -> BTreeMap<Labels, u64> {
        let claimed = self.0.iter().map_while(|series| Some((*series.labels.get()?, series.count.load(Ordering::Relaxed))));
        // A slot that was claimed and not counted yet.
        claimed.filter(|(_, count)| *count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_of_many_threads_are_counted_once_each() {
        let counters = Counters::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        for labels in [("a", ""), ("a", "b"), ("c", "")] {
                            counters.increment(labels);
                        }
                    }
                });
            }
        });
        assert_eq!(counters.read(), BTreeMap::from([(("a", ""), 4000), (("a", "b"), 4000), (("c", ""), 4000)]));
    }
}
