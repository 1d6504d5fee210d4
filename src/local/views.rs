//! Creates the views of `schema/views/` in the local dataset, as the deployment does in BigQuery.
//!
//! BigQuery checks a view's query when the view is created, so this waits until the template table is ready. A view with
//! a different query is updated. A table with the name of a view is left unchanged.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::google::body::{BodyError, read_body};
use crate::sink::bigquery::Location;
use crate::sink::template::TemplateSettings;
use crate::telemetry;

/// Name and query of each view. A view stands after the views that its query reads.
const VIEWS: [(&str, &str); 2] =
    [("events", include_str!("../../schema/views/events.sql")), ("events_daily", include_str!("../../schema/views/events_daily.sql"))];

/// Timeout of one request. Generous, because the machine may be busy at the start.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest answer about a view that is read.
const MAX_ANSWER_BYTES: usize = 8 << 20;

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
    http: reqwest::Client,
    /// The URL of the dataset's tables.
    tables: String,
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
    #[error("BigQuery answered {status}: {message}")]
    Refused { status: StatusCode, message: String },
    #[error("cannot read BigQuery's answer")]
    Answer(#[from] serde_json::Error),
    #[error("cannot reach BigQuery")]
    Unreachable(#[from] BodyError),
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
    /// `tables` is the URL of the dataset's tables.
    pub fn new(http: reqwest::Client, tables: String, names: ViewNames) -> Self {
        Self { http, tables, names }
    }

    /// Creates missing views and updates changed ones. Returns how many were created. Failures are logged and not
    /// returned, because the pipeline works without views.
    pub async fn create_or_update(&self) -> u64 {
        let (mut created, mut dependencies_exist) = (0, true);
        for (view, text) in VIEWS {
            let change = if dependencies_exist { self.create_or_update_one(view, text).await } else { Err(ViewError::MissingView) };
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

    async fn create_or_update_one(&self, view: &str, text: &str) -> Result<Change, ViewError> {
        self.names.check(view)?;
        let query = json!({"query": self.names.fill(text), "useLegacySql": false});
        let url = format!("{}/{view}", self.tables);
        let found = match self.call(Method::GET, &url, &Value::Null).await {
            Err(ViewError::Refused { status: StatusCode::NOT_FOUND, .. }) => {
                let ViewNames { project, dataset, .. } = &self.names;
                let reference = json!({"projectId": project, "datasetId": dataset, "tableId": view});
                self.call(Method::POST, &self.tables, &json!({"tableReference": reference, "view": query})).await?;
                return Ok(Change::Created);
            }
            found => found?,
        };
        if found["type"] != "VIEW" {
            return Err(ViewError::TableExists);
        }
        if found["view"]["query"] == query["query"] {
            return Ok(Change::None);
        }
        self.call(Method::PATCH, &url, &json!({"view": query})).await?;
        Ok(Change::Updated)
    }

    async fn call(&self, method: Method, url: &str, body: &Value) -> Result<Value, ViewError> {
        let request = self.http.request(method, url).timeout(REQUEST_TIMEOUT);
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let response = request.send().await.map_err(BodyError::from)?;
        let status = response.status();
        let body = read_body(response, MAX_ANSWER_BYTES).await?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&body)?);
        }
        // A server in between may answer with something else than BigQuery's JSON.
        let error: Option<Value> = serde_json::from_slice(&body).ok();
        let message = error.as_ref().and_then(|error| error["error"]["message"].as_str()).unwrap_or("without a message");
        Err(ViewError::Refused { status, message: message.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(table: &str) -> ViewNames {
        ViewNames { project: "p".into(), dataset: "d".into(), table: table.into(), dead_letter_table: "letters".into() }
    }

    #[test]
    fn every_file_of_schema_views_is_listed() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/views");
        let mut files: Vec<String> = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, VIEWS.map(|(view, _)| format!("{view}.sql")));
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
