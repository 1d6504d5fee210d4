//! The views of `schema/views/`, in the dataset of the local mode as the deployment makes them in the real one.
//!
//! They are made once the service has seen the template table, because BigQuery reads a view's query when the
//! view is made. A view whose text is another is brought up to date; a table of that name is somebody's, and stays.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::sink::bigquery::Location;
use crate::sink::template::TemplateSettings;
use crate::telemetry;

/// Each view by its name, with the file. One that asks another comes after it.
const VIEWS: [(&str, &str); 2] =
    [("events", include_str!("../../schema/views/events.sql")), ("events_daily", include_str!("../../schema/views/events_daily.sql"))];

/// How long one request may take: a machine that has just been started may have other things to do.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What the files are filled in with, and what stands in a view's way.
#[derive(Debug, Clone)]
pub struct ViewNames {
    pub project: String,
    pub dataset: String,
    /// TABLE_NAME.
    pub table: String,
    /// DEAD_LETTER_TABLE.
    pub dead_letter_table: String,
}

/// Makes views through BigQuery's API.
#[derive(Debug)]
pub struct Views {
    http: reqwest::Client,
    /// The URL of the dataset's tables.
    tables: String,
    names: ViewNames,
}

/// Why a view is not there.
#[derive(Debug, thiserror::Error)]
enum ViewError {
    #[error("its name begins with TABLE_NAME={0}, so that queries over `{0}*` would meet the view and be refused")]
    MatchesWildcard(String),
    #[error("DEAD_LETTER_TABLE has its name")]
    DeadLetterTable,
    #[error("there is a table of that name; delete or rename it")]
    TableExists,
    #[error("it asks a view that is not there")]
    MissingView,
    #[error("BigQuery says {status}: {message}")]
    Refused { status: StatusCode, message: String },
    #[error("BigQuery cannot be reached")]
    Unreachable(#[from] reqwest::Error),
}

/// What was change about a view.
enum Change {
    None,
    Created,
    Updated,
}

impl ViewNames {
    /// As the settings have them.
    pub fn of(location: &Location, template: &TemplateSettings) -> Self {
        Self {
            project: location.project.clone(),
            dataset: location.dataset.clone(),
            table: template.table.to_string(),
            dead_letter_table: template.dead_letter_table.to_string(),
        }
    }

    /// The query of a view's file.
    fn fill(&self, text: &str) -> String {
        text.replace("${PROJECT_ID}", &self.project).replace("${DATASET}", &self.dataset).replace("${TABLE_NAME}", &self.table)
    }

    /// Whether a view may have that name.
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

    /// Makes those that are missing and changes those that differ; returns how many were made. What cannot be change
    /// is logged: the pipeline works without views.
    pub async fn create_or_update(&self) -> u64 {
        let (mut created, mut dependencies_exist) = (0, true);
        for (view, text) in VIEWS {
            let change = if dependencies_exist { self.create_or_update_one(view, text).await } else { Err(ViewError::MissingView) };
            match change {
                Ok(Change::None) => {}
                Ok(Change::Created) => created += 1,
                Ok(Change::Updated) => tracing::info!(view, "the view had another query, and was changed to that of schema/views"),
                Err(error) => {
                    dependencies_exist = false;
                    tracing::warn!(view, "the view was not made: {}", telemetry::with_causes(&error));
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
        let response = request.send().await?;
        let status = response.status();
        let answer: Value = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        Err(ViewError::Refused { status, message: answer["error"]["message"].as_str().unwrap_or_default().to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(table: &str) -> ViewNames {
        ViewNames { project: "p".into(), dataset: "d".into(), table: table.into(), dead_letter_table: "letters".into() }
    }

    #[test]
    fn every_file_is_made_into_a_view_of_its_name() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/views");
        let mut files: Vec<String> = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, VIEWS.map(|(view, _)| format!("{view}.sql")));
    }

    /// Terraform's templatefile takes `${` and `%{` for its own.
    #[test]
    fn nothing_is_left_to_fill_in() {
        for (view, text) in VIEWS {
            let filled = names("hits").fill(text);
            assert!(!filled.contains("${") && !filled.contains("%{"), "{view}: {filled}");
            assert!(filled.starts_with("-- "), "{view} says what it is");
        }
        assert!(names("hits").fill(VIEWS[0].1).contains("FROM `p.d.hits*`"));
    }

    #[test]
    fn no_view_is_called_as_a_generated_table_could_be() {
        for (table, events, daily) in [("pixel", true, true), ("e", false, false), ("events", false, false), ("events_", true, false)] {
            let names = names(table);
            assert_eq!((names.check("events").is_ok(), names.check("events_daily").is_ok()), (events, daily), "{table}");
        }
        assert!(matches!(names("pixel").check("letters"), Err(ViewError::DeadLetterTable)));
    }
}
