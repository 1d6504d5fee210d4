//! The streaming buffer: rows that a DELETE cannot remove yet.
//!
//! BigQuery rejects a DELETE of rows that were streamed in the last 30 minutes. The emulator does so only if a test
//! enables it. Otherwise rows can be deleted at once.
//! Reference: <https://cloud.google.com/bigquery/docs/data-manipulation-language#limitations>.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::names::TableRef;

const BUFFER_DURATION: Duration = Duration::from_secs(30 * 60);

/// The rows in the buffer; `None` if the buffer is disabled.
#[derive(Debug, Default)]
pub(crate) struct StreamingBuffer {
    rows: Mutex<Option<BufferedRows>>,
}

#[derive(Debug, Default)]
struct BufferedRows {
    /// Milliseconds since 1970 of the insertion, by table and insertId.
    inserted_at: HashMap<(String, String), i64>,
}

impl StreamingBuffer {
    /// Enables the buffer.
    pub(crate) fn enable(&self) {
        self.rows().get_or_insert_default();
    }

    /// Makes all rows older.
    pub(crate) fn advance_clock(&self, by: Duration) {
        let by = millis(by);
        self.rows().iter_mut().flat_map(|buffered| buffered.inserted_at.values_mut()).for_each(|time| *time -= by);
    }

    /// Adds committed rows.
    pub(crate) fn add<'a>(&self, table: &TableRef, insert_ids: impl Iterator<Item = &'a str>) {
        if let Some(buffered) = &mut *self.rows() {
            buffered.inserted_at.extend(insert_ids.map(|id| ((table.to_string(), id.to_owned()), now())));
        }
    }

    /// Number of the table's rows in the buffer. They are its last rows.
    pub(crate) fn count_rows(&self, table: &TableRef) -> usize {
        let (table, oldest) = (table.to_string(), now() - millis(BUFFER_DURATION));
        let buffered = self.rows();
        let table_rows = buffered.iter().flat_map(|buffered| &buffered.inserted_at).filter(|((name, _), _)| *name == table);
        table_rows.filter(|(_, inserted_at)| **inserted_at > oldest).count()
    }

    fn rows(&self) -> MutexGuard<'_, Option<BufferedRows>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
