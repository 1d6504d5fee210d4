//! Rows that BigQuery refused for no value of theirs, without another row that it stored: the table may be at fault.
//!
//! If BigQuery stores another row of the table after that, and then refuses the row again, the row is at fault. So a lone
//! invalid row of a quiet table becomes a dead letter at a later delivery. This memory is the instance's: another instance
//! nacks the message once more.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::super::Destination;
use crate::decode::EventId;

/// Longer than the longest pause between two deliveries of Pub/Sub.
const MAX_AGE: Duration = Duration::from_secs(1200);
/// Maximum number of rows that are remembered.
const MAX_ROWS: usize = 10_000;

/// The suspects of each table.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    tables: HashMap<Destination, HashMap<EventId, Suspect>>,
    count: usize,
}

#[derive(Debug)]
struct Suspect {
    refused_at: Instant,
    /// BigQuery has stored another row of the table since.
    is_table_accepting: bool,
}

impl Suspects {
    /// Records that BigQuery has stored a row of the table.
    pub(super) fn record_stored(&mut self, destination: &Destination) {
        if let Some(rows) = self.tables.get_mut(destination) {
            rows.values_mut().for_each(|suspect| suspect.is_table_accepting = true);
        }
    }

    /// Records that BigQuery refuses the row. Returns whether it has stored another row of the table since it refused this
    /// one. Forgets all rows if there are too many.
    pub(super) fn record_refused(&mut self, destination: &Destination, row: EventId, now: Instant) -> bool {
        if self.count >= MAX_ROWS {
            *self = Self::default();
        }
        let suspect = Suspect { refused_at: now, is_table_accepting: false };
        let former = self.tables.entry(destination.clone()).or_default().insert(row, suspect);
        self.count += usize::from(former.is_none());
        former.is_some_and(|former| former.is_table_accepting && now.saturating_duration_since(former.refused_at) < MAX_AGE)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode::TableSuffix;

    fn table(name: &str) -> Destination {
        Destination { table: Arc::from(name), suffix: TableSuffix::none() }
    }

    #[test]
    fn a_row_is_at_fault_if_the_table_accepts_another_between_two_refusals() {
        let (mut suspects, row, now) = (Suspects::default(), EventId::of_message("1"), Instant::now());
        suspects.record_stored(&table("a"));
        assert!(!suspects.record_refused(&table("a"), row, now), "stored before the first refusal");
        suspects.record_stored(&table("b"));
        assert!(!suspects.record_refused(&table("a"), row, now), "another table");
        suspects.record_stored(&table("a"));
        assert!(!suspects.record_refused(&table("a"), EventId::of_message("2"), now), "another row");
        assert!(suspects.record_refused(&table("a"), row, now));
        assert!(!suspects.record_refused(&table("a"), row, now), "nothing stored since");
        suspects.record_stored(&table("a"));
        assert!(!suspects.record_refused(&table("a"), row, now + MAX_AGE), "too long ago");
    }

    #[test]
    fn the_number_of_rows_is_bounded() {
        let (mut suspects, now) = (Suspects::default(), Instant::now());
        for row in 0..2 * MAX_ROWS + 1 {
            suspects.record_refused(&table("a"), EventId::of_message(&row.to_string()), now);
            assert!(suspects.tables.values().map(HashMap::len).sum::<usize>() <= MAX_ROWS);
        }
    }
}
