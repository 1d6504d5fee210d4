//! The streaming buffer, where a test asks for it: rows that no DELETE may touch yet.
//!
//! BigQuery modifies no row that was streamed within the last half hour
//! (<https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations>). On one machine that would only
//! be in the way of whoever tries things out, so that without a test's wish every row can be deleted at once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::names::TableRef;

const PROTECTED_FOR: Duration = Duration::from_secs(30 * 60);

/// What was streamed into which table, if it is held.
#[derive(Debug, Default)]
pub(crate) struct StreamingBuffer {
    held: Mutex<Option<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    /// By table and insertId, which a row has once: when it came, in milliseconds since 1970.
    since: HashMap<(String, String), i64>,
}

impl StreamingBuffer {
    /// From now on rows are held.
    pub(crate) fn hold(&self) {
        self.held().get_or_insert_default();
    }

    /// Lets time pass.
    pub(crate) fn age(&self, by: Duration) {
        let by = millis(by);
        self.held().iter_mut().flat_map(|held| held.since.values_mut()).for_each(|since| *since -= by);
    }

    /// Rows of that table are committed.
    pub(crate) fn take<'a>(&self, table: &TableRef, insert_ids: impl Iterator<Item = &'a str>) {
        if let Some(held) = &mut *self.held() {
            held.since.extend(insert_ids.map(|id| ((table.to_string(), id.to_owned()), now())));
        }
    }

    /// How many of the table's last rows are held: those that came last are its last.
    pub(crate) fn rows_of(&self, table: &TableRef) -> usize {
        let (table, oldest) = (table.to_string(), now() - millis(PROTECTED_FOR));
        let held = self.held();
        let of_the_table = held.iter().flat_map(|held| &held.since).filter(|((of, _), _)| *of == table);
        of_the_table.filter(|(_, since)| **since > oldest).count()
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
