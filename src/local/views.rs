//! Creates the views of `schema/views/` in the local dataset, as the deployment does in BigQuery.
//!
//! BigQuery checks a view's query when the view is created, so this waits until the template table is ready. The queries
//! follow the columns of that table ([`schema_sql`]). A view with a different query is updated. A table with the name of a
//! view is left unchanged.

use serde_json::json;

use super::tables_api::{TablesApi, TablesError};
use crate::decode::Schema;
use crate::schema_sql::{self, MissingColumn, VIEWS};
use crate::sink::bigquery::Location;
use crate::sink::template::TemplateSettings;
use crate::telemetry;

/// The names that the queries contain, and that a view must not have.
#[derive(Debug, Clone)]
pub struct ViewNames {
    pub project: String,
    pub dataset: String,
    /// TABLE_NAME
    pub table: String,
    /// DEAD_LETTER_TABLE
    pub dead_letter_table: String,
}

/// Creates views through BigQuery's API.
#[derive(Debug)]
pub struct Views {
    api: TablesApi,
    names: ViewNames,
}

/// Why a view cannot be created.
#[derive(Debug, thiserror::Error)]
enum ViewError {
    #[error("its name starts with TABLE_NAME={0}: queries over `{0}*` would match the view and fail. Choose another TABLE_NAME")]
    MatchesWildcard(String),
    #[error("DEAD_LETTER_TABLE has the same name. Choose another DEAD_LETTER_TABLE")]
    DeadLetterTable,
    #[error("a table of that name exists. Delete or rename the table")]
    TableExists,
    #[error("a view that its query reads is missing")]
    MissingView,
    #[error(transparent)]
    MissingColumn(#[from] MissingColumn),
    #[error(transparent)]
    Tables(#[from] TablesError),
}

/// The change of a view.
enum Change {
    None,
    Created,
    Updated,
}

impl ViewNames {
    /// Takes the names from the settings.
    pub fn of(location: &Location, template: &TemplateSettings) -> Self {
        Self {
            project: location.project.clone(),
            dataset: location.dataset.clone(),
            table: template.table.to_string(),
            dead_letter_table: template.dead_letter_table.to_string(),
        }
    }

    /// Replaces the placeholders of a view's query.
    fn fill(&self, text: &str) -> String {
        text.replace("${PROJECT_ID}", &self.project).replace("${DATASET}", &self.dataset).replace("${TABLE_NAME}", &self.table)
    }

    /// Checks that a view may have this name.
    fn check(&self, view: &str) -> Result<(), ViewError> {
        if view.starts_with(&self.table) {
            return Err(ViewError::MatchesWildcard(self.table.clone()));
        }
        if view == self.dead_letter_table { Err(ViewError::DeadLetterTable) } else { Ok(()) }
    }
}

impl Views {
    /// Views of the dataset that `api` is for.
    pub fn new(api: TablesApi, names: ViewNames) -> Self {
        Self { api, names }
    }

    /// Creates missing views and updates changed ones. Returns how many were created. Failures are logged and not
    /// returned, because the pipeline works without views.
    pub async fn create_or_update(&self) -> u64 {
        let schema = match self.api.columns(&self.names.table).await {
            Ok(schema) => schema,
            Err(error) => {
                tracing::warn!(error = telemetry::with_causes(&error), "views not created: cannot read the template table");
                return 0;
            }
        };
        let (mut created, mut dependencies_exist) = (0, true);
        for (view, text) in VIEWS {
            let change =
                if dependencies_exist { self.create_or_update_one(view, text, &schema).await } else { Err(ViewError::MissingView) };
            match change {
                Ok(Change::None) => {}
                Ok(Change::Created) => created += 1,
                Ok(Change::Updated) => tracing::info!(view, "view updated to the query of schema/views"),
                Err(error) => {
                    dependencies_exist = false;
                    tracing::warn!(view, error = telemetry::with_causes(&error), "view not created");
                }
            }
        }
        created
    }

    async fn create_or_update_one(&self, view: &str, text: &str, schema: &Schema) -> Result<Change, ViewError> {
        self.names.check(view)?;
        let query = json!({"query": self.names.fill(&schema_sql::for_columns(text, schema)?), "useLegacySql": false});
        let Some(found) = self.api.find(view).await? else {
            let ViewNames { project, dataset, .. } = &self.names;
            let reference = json!({"projectId": project, "datasetId": dataset, "tableId": view});
            self.api.create(&json!({"tableReference": reference, "view": query})).await?;
            return Ok(Change::Created);
        };
        if found["type"] != "VIEW" {
            return Err(ViewError::TableExists);
        }
        if found["view"]["query"] == query["query"] {
            return Ok(Change::None);
        }
        self.api.patch(view, &json!({"view": query})).await?;
        Ok(Change::Updated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(table: &str) -> ViewNames {
        ViewNames { project: "p".into(), dataset: "d".into(), table: table.into(), dead_letter_table: "letters".into() }
    }

    /// Terraform's `templatefile` also replaces `${` and `%{`.
    #[test]
    fn every_placeholder_is_replaced() {
        for (view, text) in VIEWS {
            let filled = names("hits").fill(text);
            assert!(!filled.contains("${") && !filled.contains("%{"), "{view}: {filled}");
            assert!(filled.starts_with("-- "), "{view} starts with a comment");
        }
        assert!(names("hits").fill(VIEWS[0].1).contains("FROM `p.d.hits*`"));
    }

    #[test]
    fn views_that_match_the_wildcard_are_rejected() {
        for (table, events, daily) in [("pixel", true, true), ("e", false, false), ("events", false, false), ("events_", true, false)] {
            let names = names(table);
            assert_eq!((names.check("events").is_ok(), names.check("events_daily").is_ok()), (events, daily), "{table}");
        }
        assert!(matches!(names("pixel").check("letters"), Err(ViewError::DeadLetterTable)));
    }
}
