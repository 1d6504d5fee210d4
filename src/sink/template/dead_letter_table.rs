//! The check of the dead-letter table, which the watcher makes after it has read the template table.

use super::TemplateSettings;
use crate::google::bigquery::Table;
use crate::sink::bigquery::BigQuery;
use crate::sink::dead_letter;

/// Creates the table if AUTO_CREATE is set, and logs why it cannot store dead letters.
///
/// Before the first dead letter: after an insert into a table that does not exist, BigQuery returns 404 for minutes
/// even if the table is created.
pub(super) async fn ensure(bigquery: &BigQuery, settings: &TemplateSettings) {
    let table = &*settings.dead_letter_table;
    let result = match bigquery.table(table).await {
        Ok(None) if settings.auto_create => bigquery.create_table(table, &dead_letter::schema()).await,
        Ok(None) => {
            tracing::error!(
                table,
                "the dead-letter table does not exist: create it from schema/dead_letters.json, or set AUTO_CREATE=true"
            );
            Ok(())
        }
        Ok(Some(found)) if !found.accepts_rows() => {
            tracing::error!(
                table,
                kind = found.kind,
                "cannot store dead letters: the dead-letter table is not a TABLE; change DEAD_LETTER_TABLE"
            );
            Ok(())
        }
        Ok(Some(Table { schema, .. })) => {
            let missing = dead_letter::columns_missing_in(schema.as_ref());
            if !missing.is_empty() {
                let missing = missing.join(", ");
                tracing::error!(table, missing, "cannot store dead letters: the dead-letter table lacks columns; add them");
            }
            Ok(())
        }
        Err(error) => Err(error),
    };
    if let Err(error) = result {
        tracing::warn!(table, %error, "cannot check or create the dead-letter table");
    }
}
