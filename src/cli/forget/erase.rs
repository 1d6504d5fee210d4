//! Deletes the tables, rows and dead letters that were found, except rows that BigQuery does not delete yet.
//!
//! A failure for one table is recorded, and the other tables follow. Only a journal that cannot be written ends the
//! deletion. After each deletion the rows are counted again: an answer of success alone does not show that they are gone.

use std::io;

use jiff::Timestamp;

use super::ForgetError;
use super::breaker::CircuitBreaker;
use super::counts::{Counts, table_in_sql};
use super::found::UserTable;
use super::journal::{Deletion, Journal, Step};
use super::letters::FoundLetters;
use super::table_label::TableLabel;
use crate::cli::dead_letter_table::Deleted;
use crate::cli::streaming_buffer;
use crate::config::Config;
use crate::google::statement::{self, Statement};
use crate::google::{Api, ApiError, ApiResult, Client, Lookup, bigquery};

/// The number of deleted rows, and of rows that were not deleted.
#[derive(Debug, Default)]
pub(crate) struct Erased {
    pub(crate) tables: u64,
    pub(crate) rows_in_tables: u64,
    /// Rows of tables that stay, by the table's label.
    pub(crate) rows: Vec<(String, u64)>,
    /// Rows that BigQuery still holds in a streaming buffer, the same way.
    pub(crate) held_rows: Vec<(String, u64)>,
    pub(crate) dead_letters: Deleted,
    /// Tables whose deletion failed or could not be verified, by the table's label, with the error.
    pub(crate) failed: Vec<(String, String)>,
}

/// Where to delete.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) google: &'a Client,
    pub(crate) config: &'a Config,
    pub(crate) breaker: &'a CircuitBreaker,
}

/// What a deletion needs.
pub(crate) struct Eraser<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) journal: &'a mut Journal,
    pub(crate) erased: &'a mut Erased,
}

/// Why a table's deletion has failed.
enum EraseError {
    Journal(io::Error),
    Google { what: &'static str, error: ApiError },
}

impl EraseError {
    fn google(what: &'static str) -> impl Fn(ApiError) -> Self {
        move |error| Self::Google { what, error }
    }

    fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Journal(_) => None,
            Self::Google { error, .. } => Some(error),
        }
    }
}

impl From<ApiError> for EraseError {
    fn from(error: ApiError) -> Self {
        Self::Google { what: "delete data of", error }
    }
}

impl From<io::Error> for EraseError {
    fn from(error: io::Error) -> Self {
        Self::Journal(error)
    }
}

impl Erased {
    /// The number of rows and dead letters that BigQuery still holds.
    pub(crate) fn held(&self) -> u64 {
        self.held_rows.iter().fold(self.dead_letters.held, |sum, (_, rows)| sum.saturating_add(*rows))
    }
}

impl Eraser<'_> {
    /// Deletes until the end, or until the journal cannot be written. `erased` has the result at any time.
    pub(crate) async fn erase(&mut self, tables: &[UserTable], letters: &[FoundLetters], now: Timestamp) -> Result<(), ForgetError> {
        let breaker = self.target.breaker;
        for table in tables {
            let result = breaker.run(self.erase_table(table), EraseError::api).await;
            self.finish(&table.table, result)?;
        }
        for letters in letters.iter().filter(|letters| !letters.event_ids.is_empty()) {
            let result = breaker.run(self.delete_letters(letters, now), EraseError::api).await;
            self.finish(&letters.label, result)?;
        }
        Ok(())
    }

    /// Records a failure. The next table can be deleted, unless the journal is lost.
    fn finish(&mut self, table: &TableLabel, result: Result<(), EraseError>) -> Result<(), ForgetError> {
        match result {
            Ok(()) => {}
            Err(EraseError::Journal(error)) => return Err(ForgetError::Journal { place: self.journal.place(), error }),
            Err(EraseError::Google { what, error }) => {
                let reason = format!("cannot {what} {}: {}", table.label(), table.redact(&error));
                self.erased.failed.push((table.label().to_owned(), reason));
            }
        }
        Ok(())
    }

    async fn erase_table(&mut self, table: &UserTable) -> Result<(), EraseError> {
        if table.is_own && self.is_still_own(table).await.map_err(EraseError::google("search"))? {
            self.delete_table(table).await
        } else if table.rows > 0 {
            self.delete_rows(table).await
        } else {
            Ok(())
        }
    }

    /// Rows of others may have arrived since the search. In a table whose name only this user has, they cannot.
    async fn is_still_own(&self, table: &UserTable) -> ApiResult<bool> {
        Ok(match self.counts(table).await? {
            Lookup::Found(counts) => counts.is_own(table.ownership),
            Lookup::Absent => false,
        })
    }

    async fn counts(&self, UserTable { table, condition, .. }: &UserTable) -> ApiResult<Lookup<Counts>> {
        Counts::read(self.target.google, self.target.config, table.name(), condition).await
    }

    /// Counts the user's rows that a deletion has left, or that have arrived since.
    async fn record_remaining(&mut self, table: &UserTable) -> Result<(), EraseError> {
        let count = self.remaining(table).await.map_err(EraseError::google("verify the deletion of rows in"))?;
        if count == 0 {
            return Ok(());
        }
        self.erased.held_rows.push((table.table.label().to_owned(), count));
        self.record(Step::Held, Deletion { table: table.table.label(), is_table: false, thing: "row", count })
    }

    async fn remaining(&self, table: &UserTable) -> ApiResult<u64> {
        if let Lookup::Found(counts) = self.counts(table).await? {
            return Ok(counts.matching);
        }
        // A query that runs in another location does not find the table, either.
        let location = &self.target.config.location;
        match bigquery::table(self.target.google, &location.project, &location.dataset, table.table.name()).await? {
            Lookup::Absent => Ok(0),
            Lookup::Found(_) => Err(ApiError::unreadable(Api::BigQuery, "the table exists, and a query does not find it")),
        }
    }

    async fn delete_table(&mut self, user_table: &UserTable) -> Result<(), EraseError> {
        let UserTable { table, rows, .. } = user_table;
        let deletion = Deletion { table: table.label(), is_table: true, thing: "row", count: *rows };
        self.record(Step::Started, deletion)?;
        let path = bigquery::table_path(&self.target.config.location.project, &self.target.config.location.dataset, table.name());
        // Absent: it was deleted in the meantime.
        if let Err(error) = self.target.google.delete(Api::BigQuery, &path).await {
            self.record(Step::Failed, deletion)?;
            return Err(EraseError::google("delete")(error));
        }
        self.erased.tables += 1;
        self.erased.rows_in_tables = self.erased.rows_in_tables.saturating_add(*rows);
        self.record(Step::Deleted, deletion)?;
        self.record_remaining(user_table).await
    }

    async fn delete_rows(&mut self, user_table: &UserTable) -> Result<(), EraseError> {
        let UserTable { table, condition, rows, .. } = user_table;
        let deletion = Deletion { table: table.label(), is_table: false, thing: "row", count: *rows };
        self.record(Step::Started, deletion)?;
        let sql = format!("DELETE FROM {} WHERE {}", table_in_sql(self.target.config, table.name()), condition.matches);
        let statement = Statement { sql, parameters: condition.parameters.clone() };
        match statement::delete(self.target.google, &self.target.config.location.project, &statement).await {
            Ok(Lookup::Found(count)) => {
                self.erased.rows.push((table.label().to_owned(), count));
                self.record(Step::Deleted, Deletion { count, ..deletion })?;
                self.record_remaining(user_table).await
            }
            Ok(Lookup::Absent) => {
                self.record(Step::Deleted, Deletion { count: 0, ..deletion })?;
                self.record_remaining(user_table).await
            }
            Err(error) if streaming_buffer::holds(&error) => {
                self.erased.held_rows.push((table.label().to_owned(), *rows));
                self.record(Step::Held, deletion)
            }
            Err(error) => {
                self.record(Step::Failed, deletion)?;
                Err(EraseError::google("delete rows of")(error))
            }
        }
    }

    async fn delete_letters(&mut self, letters: &FoundLetters, now: Timestamp) -> Result<(), EraseError> {
        let FoundLetters { table, label, event_ids, .. } = letters;
        let deletion = Deletion { table: label.label(), is_table: false, thing: "dead letter", count: event_ids.len() as u64 };
        self.record(Step::Started, deletion)?;
        let before = self.erased.dead_letters;
        let result = table.delete(event_ids, now, &mut self.erased.dead_letters).await;
        let after = self.erased.dead_letters;
        self.record(Step::Deleted, Deletion { count: after.deleted - before.deleted, ..deletion })?;
        if after.held > before.held {
            self.record(Step::Held, Deletion { count: after.held - before.held, ..deletion })?;
        }
        if let Err(error) = result {
            self.record(Step::Failed, deletion)?;
            return Err(EraseError::google("delete dead letters of")(error));
        }
        Ok(())
    }

    fn record(&mut self, step: Step, deletion: Deletion<'_>) -> Result<(), EraseError> {
        Ok(self.journal.record(step, deletion)?)
    }
}
