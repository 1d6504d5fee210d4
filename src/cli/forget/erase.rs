//! Deletes what was found, as far as BigQuery does.

use jiff::Timestamp;

use super::Failure;
use super::letters::{self, Letter};
use super::subject::Subject;
use super::tables::Found;
use crate::cli::google::{Google, Unseen};
use crate::cli::streaming_buffer::TOO_YOUNG;
use crate::cli::statement::{self, Statement};
use crate::config::Config;

/// event_ids in one DELETE.
const AT_ONCE: usize = 1_000;

/// What is gone, and what is not.
#[derive(Debug, Default)]
pub(super) struct Erased {
    pub(super) tables: u64,
    pub(super) rows_in_tables: u64,
    /// In tables that others share, by table, which names nobody.
    pub(super) rows: Vec<(String, u64)>,
    pub(super) dead_letters: u64,
    /// Rows that BigQuery still holds in a streaming buffer, by table.
    pub(super) held_rows: Vec<(String, u64)>,
    pub(super) held_dead_letters: u64,
}

impl Erased {
    /// How much of the user is left.
    pub(super) fn held(&self) -> u64 {
        self.held_rows.iter().map(|(_, rows)| rows).sum::<u64>() + self.held_dead_letters
    }
}

pub(super) async fn erase(
    google: &Google,
    config: &Config,
    subject: &Subject,
    found: &[Found],
    letters: &[Letter],
    now: Timestamp,
) -> Result<Erased, Failure> {
    let failed = |what: String| move |error| Failure::Google { what, error };
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let mut erased = Erased::default();
    for Found { table, rows, is_own } in found {
        if *is_own {
            let path = format!("projects/{project}/datasets/{dataset}/tables/{table}");
            match google.delete(&path).await.into_result() {
                // Somebody else was faster.
                Ok(_) | Err(Unseen::Missing) => {}
                Err(error) => return Err(failed(format!("delete {table}"))(error)),
            }
            erased.tables += 1;
            erased.rows_in_tables += rows;
            continue;
        }
        let sql = format!("DELETE FROM `{project}.{dataset}.{table}` WHERE {}", subject.condition());
        match statement::run(google, project, &Statement { sql, parameters: subject.parameters() }).await {
            Ok(answer) => erased.rows.push((table.clone(), answer.affected())),
            Err(error) if is_streaming(&error) => erased.held_rows.push((table.clone(), *rows)),
            Err(error) => return Err(failed(format!("delete rows of {table}"))(error)),
        }
    }
    let youngest = now.checked_sub(TOO_YOUNG).unwrap_or(now);
    let (old, young): (Vec<&Letter>, Vec<&Letter>) = letters.iter().partition(|letter| letter.received < youngest);
    erased.held_dead_letters = young.len() as u64;
    for letters in old.chunks(AT_ONCE) {
        let ids: Vec<String> = letters.iter().map(|letter| letter.event_id.clone()).collect();
        let sql = format!("DELETE FROM {} WHERE event_id IN UNNEST(@ids) AND received_timestamp < @youngest", letters::table(config));
        let parameters = vec![statement::strings("ids", &ids), statement::timestamp("youngest", youngest)];
        match statement::run(google, project, &Statement { sql, parameters }).await {
            Ok(answer) => erased.dead_letters += answer.affected(),
            Err(error) if is_streaming(&error) => erased.held_dead_letters += letters.len() as u64,
            Err(error) => return Err(failed("delete dead letters".to_owned())(error)),
        }
    }
    Ok(erased)
}

/// "UPDATE or DELETE statement over table … would affect rows in the streaming buffer, which is not supported".
fn is_streaming(error: &Unseen) -> bool {
    error.to_string().contains("streaming buffer")
}
