//! The counts of all metrics at one time, and the difference of two of them.

use std::collections::BTreeMap;

use super::counter::Labels;
use super::histogram::Buckets;

/// Counts since the process started, or between two reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricTotals {
    /// Deliveries by outcome and reason.
    pub deliveries: BTreeMap<Labels, u64>,
    /// Seconds from request to row.
    pub end_to_end_seconds: Buckets,
    /// Rows of each insertAll request.
    pub insert_rows: Buckets,
    /// insertAll requests that failed as a whole, by failure.
    pub insert_failures: BTreeMap<Labels, u64>,
    /// Events in the overflow table, by cause.
    pub overflow: BTreeMap<Labels, u64>,
    /// Parameters that VALID_ATTRIBUTES does not list, by name.
    pub parameters_not_kept: BTreeMap<String, u64>,
}

impl MetricTotals {
    /// The counts after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            deliveries: difference(&self.deliveries, &earlier.deliveries),
            end_to_end_seconds: self.end_to_end_seconds.since(&earlier.end_to_end_seconds),
            insert_rows: self.insert_rows.since(&earlier.insert_rows),
            insert_failures: difference(&self.insert_failures, &earlier.insert_failures),
            overflow: difference(&self.overflow, &earlier.overflow),
            parameters_not_kept: difference(&self.parameters_not_kept, &earlier.parameters_not_kept),
        }
    }
}

/// The labels that were counted after `earlier`.
fn difference<L: Clone + Ord>(now: &BTreeMap<L, u64>, earlier: &BTreeMap<L, u64>) -> BTreeMap<L, u64> {
    let counts = now.iter().map(|(labels, count)| (labels.clone(), count - earlier.get(labels).copied().unwrap_or(0)));
    counts.filter(|(_, count)| *count > 0).collect()
}
