//! Deletes the tables, rows and dead letters that were found, except rows that BigQuery does not delete yet.

use std::io;

use jiff::Timestamp;

use super::ForgetError;
use super::counts::{Counts, table_in_sql};
use super::journal::{Deletion, Journal, Step};
use super::letters::FoundLetters;
use super::tables::UserTable;
use crate::cli::dead_letter_table::Deleted;
use crate::cli::streaming_buffer;
use crate::config::Config;
use crate::google::statement::{self, Statement};
use crate::google::{Api, Client, Lookup, bigquery};

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
}

/// What a deletion needs.
pub(crate) struct Eraser<'a> {
    pub(crate) google: &'a Client,
    pub(crate) config: &'a Config,
    pub(crate) journal: &'a mut Journal,
    pub(crate) erased: &'a mut Erased,
}

impl Erased {
    /// The number of rows and dead letters that BigQuery still holds.
    pub(crate) fn held(&self) -> u64 {
        self.held_rows.iter().map(|(_, rows)| rows).sum::<u64>() + self.dead_letters.held
    }
}

impl Eraser<'_> {
    /// Deletes until the end or the first error. After an error, `erased` has the counts of the deletions before it.
    pub(crate) async fn erase(&mut self, tables: &[UserTable], letters: &[FoundLetters], now: Timestamp) -> Result<(), ForgetError> {
        for table in tables {
            if table.is_own && self.is_still_own(table).await? {
                self.delete_table(table).await?;
            } else if table.rows > 0 {
                self.delete_rows(table).await?;
            }
        }
        for letters in letters {
            self.delete_letters(letters, now).await?;
        }
        Ok(())
    }

    /// Rows of others may have arrived since the search. In a table whose name only this user has, they cannot.
    async fn is_still_own(&self, table: &UserTable) -> Result<bool, ForgetError> {
        Ok(match self.counts(table).await? {
            Lookup::Found(counts) => counts.is_own(table.ownership),
            Lookup::Absent => false,
        })
    }

    /// Counts the user's rows that a deletion has left, or that have arrived since.
    async fn record_remaining(&mut self, table: &UserTable) -> Result<(), ForgetError> {
        let Lookup::Found(Counts { matching: count @ 1.., .. }) = self.counts(table).await? else { return Ok(()) };
        self.erased.held_rows.push((table.table.label().to_owned(), count));
        self.record(Step::Held, Deletion { table: table.table.label(), is_table: false, thing: "row", count })
    }

    async fn counts(&self, UserTable { table, condition, .. }: &UserTable) -> Result<Lookup<Counts>, ForgetError> {
        let counts = Counts::read(self.google, self.config, table.name(), condition).await;
        counts.map_err(|error| ForgetError::google(format!("search {}", table.label()), table.redact(&error)))
    }

    async fn delete_table(&mut self, user_table: &UserTable) -> Result<(), ForgetError> {
        let UserTable { table, rows, .. } = user_table;
        let deletion = Deletion { table: table.label(), is_table: true, thing: "row", count: *rows };
        self.record(Step::Started, deletion)?;
        let path = bigquery::table_path(&self.config.location.project, &self.config.location.dataset, table.name());
        match self.google.delete(Api::BigQuery, &path).await {
            // Absent: it was deleted in the meantime.
            Ok(Lookup::Found(()) | Lookup::Absent) => {
                self.erased.tables += 1;
                self.erased.rows_in_tables += rows;
                self.record(Step::Deleted, deletion)?;
                self.record_remaining(user_table).await
            }
            Err(error) => Err(ForgetError::google(format!("delete {}", table.label()), table.redact(&error))),
        }
    }

    async fn delete_rows(&mut self, user_table: &UserTable) -> Result<(), ForgetError> {
        let UserTable { table, condition, rows, .. } = user_table;
        let deletion = Deletion { table: table.label(), is_table: false, thing: "row", count: *rows };
        self.record(Step::Started, deletion)?;
        let failed = |error| ForgetError::google(format!("delete rows of {}", table.label()), table.redact(&error));
        let sql = format!("DELETE FROM {} WHERE {}", table_in_sql(self.config, table.name()), condition.matches);
        let statement = Statement { sql, parameters: condition.parameters.clone() };
        match statement::run(self.google, &self.config.location.project, &statement).await {
            Ok(Lookup::Found(answer)) => {
                let count = answer.affected().map_err(failed)?;
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
            Err(error) => Err(failed(error)),
        }
    }

    async fn delete_letters(&mut self, letters: &FoundLetters, now: Timestamp) -> Result<(), ForgetError> {
        let FoundLetters { table, label, event_ids, .. } = letters;
        if event_ids.is_empty() {
            return Ok(());
        }
        let deletion = Deletion { table: label.label(), is_table: false, thing: "dead letter", count: event_ids.len() as u64 };
        self.record(Step::Started, deletion)?;
        let before = self.erased.dead_letters;
        let deleted = table.delete(event_ids, now, &mut self.erased.dead_letters).await;
        deleted.map_err(|error| ForgetError::google("delete dead letters", error))?;
        let after = self.erased.dead_letters;
        self.record(Step::Deleted, Deletion { count: after.deleted - before.deleted, ..deletion })?;
        match after.held - before.held {
            0 => Ok(()),
            held => self.record(Step::Held, Deletion { count: held, ..deletion }),
        }
    }

    fn record(&mut self, step: Step, deletion: Deletion<'_>) -> Result<(), ForgetError> {
        let result = self.journal.record(step, deletion);
        result.map_err(|error: io::Error| ForgetError::Journal { place: self.journal.place(), error })
    }
}
