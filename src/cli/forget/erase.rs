//! Deletes what was found, as far as BigQuery does.

use jiff::Timestamp;

use super::Failure;
use super::tables::Found;
use crate::cli::dead_letter_table::{DeadLetterTable, Deleted};
use crate::cli::google::{Google, Unseen};
use crate::cli::statement::{self, Statement};
use crate::cli::streaming_buffer;
use crate::config::Config;

/// What is gone, and what is not.
#[derive(Debug, Default)]
pub(crate) struct Erased {
    pub(crate) tables: u64,
    pub(crate) rows_in_tables: u64,
    /// In tables that stay, by what the table is called.
    pub(crate) rows: Vec<(String, u64)>,
    /// Rows that BigQuery still holds in a streaming buffer, the same way.
    pub(crate) held_rows: Vec<(String, u64)>,
    pub(crate) dead_letters: Deleted,
}

impl Erased {
    /// How much of the user is held.
    pub(crate) fn held(&self) -> u64 {
        self.held_rows.iter().map(|(_, rows)| rows).sum::<u64>() + self.dead_letters.held
    }

    /// Deletes it, to the end or to the first error: what was deleted before that is in here.
    pub(crate) async fn erase(
        &mut self,
        google: &Google,
        config: &Config,
        found: &[Found],
        letters: (&DeadLetterTable, &[String]),
        now: Timestamp,
    ) -> Result<(), Failure> {
        for table in found {
            if table.is_own {
                self.drop(google, config, table).await?;
            } else {
                self.delete_rows(google, config, table).await?;
            }
        }
        let (table, event_ids) = letters;
        let deleted = table.delete(event_ids, now, &mut self.dead_letters).await;
        deleted.map_err(|error| Failure::google("delete dead letters", error))
    }

    async fn drop(&mut self, google: &Google, config: &Config, Found { table, rows, .. }: &Found) -> Result<(), Failure> {
        let (project, dataset) = (&config.location.project, &config.location.dataset);
        match google.delete(&format!("projects/{project}/datasets/{dataset}/tables/{}", table.name())).await.into_result() {
            // Missing: somebody else was faster.
            Ok(_) | Err(Unseen::Missing) => {
                self.tables += 1;
                self.rows_in_tables += rows;
                Ok(())
            }
            Err(error) => Err(Failure::google(format!("delete {}", table.called()), table.conceal(&error))),
        }
    }

    async fn delete_rows(&mut self, google: &Google, config: &Config, found: &Found) -> Result<(), Failure> {
        let Found { table, condition, rows, .. } = found;
        let (project, dataset) = (&config.location.project, &config.location.dataset);
        let sql = format!("DELETE FROM `{project}.{dataset}.{}` WHERE {}", table.name(), condition.theirs);
        match statement::run(google, project, &Statement { sql, parameters: condition.parameters.clone() }).await {
            Ok(answer) => self.rows.push((table.called().to_owned(), answer.affected())),
            Err(Unseen::Missing) => {}
            Err(error) if streaming_buffer::holds(&error) => self.held_rows.push((table.called().to_owned(), *rows)),
            Err(error) => return Err(Failure::google(format!("delete rows of {}", table.called()), table.conceal(&error))),
        }
        Ok(())
    }
}
