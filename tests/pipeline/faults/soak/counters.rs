//! The counters of each process, compared with the results of its deliveries.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::delivery_results::{DeliveryResult, ResultCounts};

/// Deliveries by outcome and reason. Nacks have no reason here, because the response does not contain it.
pub type Counted = BTreeMap<(String, String), u64>;

/// One process.
pub enum ProcessCounters {
    /// It ended after SIGTERM. Its complete counts, from the reports in its log.
    Ended { counted: Counted },
    /// It was killed. Its counters shortly before, and the delivery results shortly before those.
    Killed { counted: Counted, results: ResultCounts },
}

/// Counts from `/metrics`.
pub fn of_metrics(text: &str) -> Counted {
    let mut counted = Counted::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("pixel_pipeline_deliveries_total{outcome=\"")) {
        let (outcome, rest) = line.split_once("\",reason=\"").unwrap();
        let (reason, count) = rest.split_once("\"} ").unwrap();
        add(&mut counted, outcome, reason, count.parse().unwrap());
    }
    counted
}

/// Counts from all reports in a log.
pub fn of_log(lines: &[String]) -> Counted {
    let mut counted = Counted::new();
    for line in lines.iter().filter(|line| line.contains("\"deliveries\"")) {
        let line: Value = serde_json::from_str(line).unwrap();
        add(&mut counted, line["outcome"].as_str().unwrap(), line["reason"].as_str().unwrap(), line["count"].as_u64().unwrap());
    }
    counted
}

fn add(counted: &mut Counted, outcome: &str, reason: &str, count: u64) {
    let reason = if matches!(outcome, "retry" | "saturated") { "" } else { reason };
    *counted.entry((outcome.to_owned(), reason.to_owned())).or_default() += count;
}

/// The counts that these results require.
fn required(results: &ResultCounts) -> Counted {
    let mut counted = Counted::new();
    for ((kind, result), count) in results {
        match result {
            DeliveryResult::Acked => add(&mut counted, kind.outcome().0, kind.outcome().1, *count),
            DeliveryResult::Retry => add(&mut counted, "retry", "", *count),
            DeliveryResult::Saturated => add(&mut counted, "saturated", "", *count),
            DeliveryResult::Other(status) => add(&mut counted, "other", &status.to_string(), *count),
            DeliveryResult::Unreachable | DeliveryResult::Aborted | DeliveryResult::TimedOut => {}
        }
    }
    counted
}

impl ProcessCounters {
    /// Differences between the counters and the delivery results of a process.
    pub fn problems(&self, results: &ResultCounts) -> Vec<String> {
        let after = required(results);
        match self {
            // Exact.
            Self::Ended { counted } if *counted == after => Vec::new(),
            Self::Ended { counted } => vec![format!("it counted {counted:?}, and the delivery results are {after:?}")],
            // Responses after the last read of the counters are missing in them. Deliveries in flight at the kill may be
            // counted without a response.
            Self::Killed { counted, results } => {
                let before = required(results);
                let aborted: u64 =
                    results.iter().filter(|((_, result), _)| *result == DeliveryResult::Aborted).map(|(_, count)| count).sum();
                let of = |counts: &Counted, key: &(String, String)| counts.get(key).copied().unwrap_or(0);
                let keys: BTreeSet<_> = counted.keys().chain(after.keys()).collect();
                let is_wrong = |key: &&(String, String)| !(of(&before, key)..=of(&after, key) + aborted).contains(&of(counted, key));
                let wrong = keys.into_iter().filter(is_wrong);
                wrong
                    .map(|key| {
                        let (low, high) = (of(&before, key), of(&after, key));
                        format!(
                            "{key:?}: the killed process had counted {}, expected {low} to {high} and up to {aborted} without a response",
                            of(counted, key)
                        )
                    })
                    .collect()
            }
        }
    }

    /// Number of responses after the last read of a killed process's counters.
    pub fn uncounted(&self, results: &ResultCounts) -> u64 {
        let total = |counted: &Counted| counted.values().sum::<u64>();
        match self {
            Self::Ended { .. } => 0,
            Self::Killed { counted, .. } => total(&required(results)).saturating_sub(total(counted)),
        }
    }
}
