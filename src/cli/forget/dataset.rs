//! The list of the dataset's tables.

use std::collections::HashSet;

use serde_json::Value;

use super::ForgetError;
use super::table_kind::TableKind;
use crate::config::Config;
use crate::google::{Api, ApiError, ApiResult, Client, bigquery, list};

/// A table in the list.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) kind: ListedKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ListedKind {
    Rows(TableKind),
    View,
    /// A type that is new, or missing.
    Unknown(String),
}

/// Lists each table once.
pub(crate) async fn list(google: &Client, config: &Config) -> Result<Vec<Listed>, ForgetError> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let failed = |error| ForgetError::google(format!("list the tables of {dataset}"), error);
    let path = format!("{}/tables?maxResults=1000", bigquery::dataset_path(project, dataset));
    let tables = google.list(&list::TABLES, &path).await.and_then(|tables| tables.require(format!("dataset {dataset}")));
    let mut names = HashSet::new();
    let mut listed = Vec::new();
    for table in tables.map_err(failed)? {
        let table = read(&table, project, dataset).map_err(failed)?;
        if names.insert(table.name.clone()) {
            listed.push(table);
        }
    }
    Ok(listed)
}

fn read(table: &Value, project: &str, dataset: &str) -> ApiResult<Listed> {
    let unreadable = |problem| ApiError::unreadable(Api::BigQuery, problem);
    let reference = &table["tableReference"];
    bigquery::check_reference(reference, project, dataset, None)?;
    let name = reference["tableId"].as_str().ok_or_else(|| unreadable("a table without tableId"))?.to_owned();
    if !is_table_name(&name) {
        return Err(unreadable("a tableId is not the name of a table"));
    }
    let kind = match table["type"].as_str() {
        Some("TABLE") => ListedKind::Rows(TableKind::Table),
        Some("SNAPSHOT") => ListedKind::Rows(TableKind::Snapshot),
        Some("MATERIALIZED_VIEW") => ListedKind::Rows(TableKind::MaterializedView),
        Some("EXTERNAL") => ListedKind::Rows(TableKind::External),
        Some("VIEW") => ListedKind::View,
        other => ListedKind::Unknown(other.unwrap_or("none").to_owned()),
    };
    Ok(Listed { name, kind })
}

/// A name becomes part of a path: `a/../b` would be another table.
/// <https://cloud.google.com/bigquery/docs/tables#table_naming>
fn is_table_name(name: &str) -> bool {
    let is_allowed = |c: char| !c.is_control() && (!c.is_ascii_punctuation() || matches!(c, '_' | '-'));
    !name.is_empty() && name.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entry_is_a_table_of_the_dataset() {
        let read = |reference: Value, kind: &str| read(&json!({"tableReference": reference, "type": kind}), "p", "d");
        for name in ["pixel_u_20260102", "a table-with spaces", "größe", "7"] {
            assert_eq!(read(json!({"tableId": name}), "TABLE").unwrap().name, name);
        }
        assert_eq!(read(json!({"tableId": "t"}), "CUBE").unwrap().kind, ListedKind::Unknown("CUBE".to_owned()));
        for reference in [
            json!(null),
            json!({}),
            json!({"tableId": ""}),
            json!({"tableId": 7}),
            json!({"tableId": "a/../b"}),
            json!({"tableId": ".."}),
            json!({"tableId": "t?x"}),
            json!({"tableId": "t%2fu"}),
            json!({"tableId": "t$20260102"}),
            json!({"tableId": "t`"}),
            json!({"tableId": "t\n"}),
            json!({"tableId": "t", "datasetId": "other"}),
            json!({"tableId": "t", "projectId": "other"}),
        ] {
            assert!(read(reference.clone(), "TABLE").is_err(), "{reference}");
        }
    }
}
