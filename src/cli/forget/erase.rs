//! Deletes the tables, rows and dead letters that were found, except rows that BigQuery does not delete yet.

use jiff::Timestamp;

use super::ForgetError;
use super::tables::UserTable;
use crate::cli::dead_letter_table::{DeadLetterTable, Deleted};
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

impl Erased {
    /// The number of rows and dead letters that BigQuery still holds.
    pub(crate) fn held(&self) -> u64 {
        self.held_rows.iter().map(|(_, rows)| rows).sum::<u64>() + self.dead_letters.held
    }

    /// Deletes until the end or the first error. After an error, `self` has the counts of the deletions before it.
    pub(crate) async fn erase(
        &mut self,
        google: &Client,
        config: &Config,
        tables: &[UserTable],
        letters: (&DeadLetterTable, &[String]),
        now: Timestamp,
    ) -> Result<(), ForgetError> {
        for table in tables {
            if table.is_own {
                self.delete_table(google, config, table).await?;
            } else {
                self.delete_rows(google, config, table).await?;
            }
        }
        let (table, event_ids) = letters;
        let deleted = table.delete(event_ids, now, &mut self.dead_letters).await;
        deleted.map_err(|error| ForgetError::google("delete dead letters", error))
    }

    async fn delete_table(
        &mut self,
        google: &Client,
        config: &Config,
        UserTable { table, rows, .. }: &UserTable,
    ) -> Result<(), ForgetError> {
        let path = bigquery::table_path(&config.location.project, &config.location.dataset, table.name());
        match google.delete(Api::BigQuery, &path).await {
            // Absent: it was deleted in the meantime.
            Ok(Lookup::Found(()) | Lookup::Absent) => {
                self.tables += 1;
                self.rows_in_tables += rows;
                Ok(())
            }
            Err(error) => Err(ForgetError::google(format!("delete {}", table.label()), table.redact(&error))),
        }
    }

    async fn delete_rows(&mut self, google: &Client, config: &Config, user_table: &UserTable) -> Result<(), ForgetError> {
        let UserTable { table, condition, rows, .. } = user_table;
        let failed = |error| ForgetError::google(format!("delete rows of {}", table.label()), table.redact(&error));
        let (project, dataset) = (&config.location.project, &config.location.dataset);
        let sql = format!("DELETE FROM `{project}.{dataset}.{}` WHERE {}", table.name(), condition.matches);
        match statement::run(google, project, &Statement { sql, parameters: condition.parameters.clone() }).await {
            Ok(Lookup::Found(answer)) => self.rows.push((table.label().to_owned(), answer.affected().map_err(failed)?)),
            Ok(Lookup::Absent) => {}
            Err(error) if streaming_buffer::holds(&error) => self.held_rows.push((table.label().to_owned(), *rows)),
            Err(error) => return Err(failed(error)),
        }
        Ok(())
    }
}
