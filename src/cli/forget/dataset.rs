//! The list of the dataset's tables.

use std::collections::HashSet;

use serde_json::Value;

use super::ForgetError;
use super::table_kind::TableKind;
use crate::config::Config;
use crate::google::{Api, ApiError, ApiResult, Client, bigquery, list};

/// The tables and views of the dataset, each once.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) tables: Vec<ListedTable>,
    /// The number of views, which have no rows of their own.
    pub(crate) views: u64,
}

#[derive(Debug)]
pub(crate) struct ListedTable {
    pub(crate) name: String,
    pub(crate) kind: Result<TableKind, UnknownKind>,
}

/// A type that is new, or missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownKind(pub(crate) String);

/// Lists the dataset.
pub(crate) async fn list(google: &Client, config: &Config) -> Result<Listed, ForgetError> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let failed = |error| ForgetError::google(format!("list the tables of {dataset}"), error);
    let path = format!("{}/tables?maxResults=1000", bigquery::dataset_path(project, dataset));
    let tables = google.list(&list::TABLES, &path).await.and_then(|tables| tables.require(format!("dataset {dataset}")));
    let mut names = HashSet::new();
    let mut listed = Listed::default();
    for table in tables.map_err(failed)? {
        let name = read_name(&table, project, dataset).map_err(failed)?;
        if !names.insert(name.clone()) {
            continue;
        }
        match read_kind(&table) {
            Some(kind) => listed.tables.push(ListedTable { name, kind }),
            None => listed.views += 1,
        }
    }
    Ok(listed)
}

fn read_name(table: &Value, project: &str, dataset: &str) -> ApiResult<String> {
    let unreadable = |problem| ApiError::unreadable(Api::BigQuery, problem);
    let reference = &table["tableReference"];
    bigquery::check_reference(reference, project, dataset, None)?;
    let name = reference["tableId"].as_str().ok_or_else(|| unreadable("a table without tableId"))?.to_owned();
    if !is_table_name(&name) {
        return Err(unreadable("a tableId is not the name of a table"));
    }
    Ok(name)
}

/// `None` for a view.
fn read_kind(table: &Value) -> Option<Result<TableKind, UnknownKind>> {
    Some(match table["type"].as_str() {
        Some("TABLE") => Ok(TableKind::Table),
        Some("SNAPSHOT") => Ok(TableKind::Snapshot),
        Some("MATERIALIZED_VIEW") => Ok(TableKind::MaterializedView),
        Some("EXTERNAL") => Ok(TableKind::External),
        Some("VIEW") => return None,
        other => Err(UnknownKind(other.unwrap_or("none").to_owned())),
    })
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
        let read = |reference: Value| read_name(&json!({"tableReference": reference, "type": "TABLE"}), "p", "d");
        for name in ["pixel_u_20260102", "a table-with spaces", "größe", "7"] {
            assert_eq!(read(json!({"tableId": name})).unwrap(), name);
        }
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
            assert!(read(reference.clone()).is_err(), "{reference}");
        }
    }

    #[test]
    fn only_a_view_has_no_kind() {
        assert_eq!(read_kind(&json!({"type": "VIEW"})), None);
        assert_eq!(read_kind(&json!({"type": "TABLE"})), Some(Ok(TableKind::Table)));
        for (table, kind) in [(json!({"type": "CUBE"}), "CUBE"), (json!({"type": "view"}), "view"), (json!({}), "none")] {
            assert_eq!(read_kind(&table), Some(Err(UnknownKind(kind.to_owned()))));
        }
    }
}
