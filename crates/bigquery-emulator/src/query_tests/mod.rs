//! Tests of queries over stored tables, without HTTP.

mod stored_tables;

use std::sync::Arc;

use googlesql::{DatasetName, Query, QueryError, QueryResult};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::names::{DatasetRef, TableRef};
use crate::query_runner::QueryRunner;
use crate::storage::catalog;
use crate::storage::store::Store;
use crate::streaming::insertion;
use crate::streaming::insertion::{InsertRow, Insertion};
use crate::streaming::row::UnknownFields;

const PROJECT: &str = "my-proj-123";

/// A store with a query runner.
pub(crate) struct TestStore {
    queries: QueryRunner,
    inner: Arc<Store>,
    _dir: TempDir,
}

impl TestStore {
    pub(crate) fn open() -> TestStore {
        let dir = tempfile::tempdir().expect("a directory");
        let inner = Arc::new(Store::open(dir.path()).expect("a store"));
        TestStore { queries: QueryRunner::start(Arc::clone(&inner)).expect("an engine"), inner, _dir: dir }
    }

    pub(crate) async fn create_table(&self, dataset: &str, table: &str, schema: Value, rows: Vec<Value>) {
        let dataset = DatasetRef { project: PROJECT.to_owned(), dataset: dataset.to_owned() };
        let name = TableRef { dataset: dataset.clone(), table: table.to_owned() };
        let rows = rows.into_iter().map(|row| InsertRow { insert_id: None, json: row.as_object().cloned().unwrap_or_default() }).collect();
        self.inner
            .write(move |db| {
                if catalog::find_dataset(db, &dataset)?.is_none() {
                    catalog::create_dataset(db, &dataset, &Map::new(), 0)?;
                }
                catalog::create_table(db, &name, &Map::new(), Some(&schema), 0)?;
                let insertion = Insertion {
                    table: name,
                    template: None,
                    rows,
                    skip_invalid_rows: false,
                    unknown: UnknownFields::Reject,
                    #[cfg(feature = "faults")]
                    rejected: None,
                };
                let errors = insertion::store(db, &insertion, 0)?;
                assert!(errors.is_empty(), "{errors:?}");
                Ok(())
            })
            .await
            .expect("a table");
    }

    pub(crate) async fn run(&self, sql: &str, parameters: Vec<Value>) -> Result<QueryResult, QueryError> {
        let default_dataset = Some(DatasetName { project: PROJECT.to_owned(), dataset: "pixels".to_owned() });
        let query = Query { project: PROJECT.to_owned(), default_dataset, sql: sql.to_owned(), parameters, dry_run: false };
        self.queries.run(query).await
    }

    /// Runs a query and returns its schema and rows.
    pub(crate) async fn query(&self, sql: &str, parameters: Vec<Value>) -> Result<(Value, Vec<Value>), QueryError> {
        let result = self.run(sql, parameters).await?;
        let rows = result.rows.page(0, usize::MAX, usize::MAX, false);
        assert_eq!(rows.len(), result.rows.len());
        let plain = |cell: &Value| plain(&cell["v"]);
        let rows = rows.iter().map(|row| row["f"].as_array().map(|cells| cells.iter().map(plain).collect()).unwrap_or_default()).collect();
        Ok((result.schema.unwrap_or_default(), rows))
    }
}

/// Converts `{"v": …}` and `{"f": …}` to plain arrays.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(|element| plain(&element["v"])).collect(),
        Value::Object(members) => {
            members["f"].as_array().map(|cells| cells.iter().map(|cell| plain(&cell["v"])).collect()).unwrap_or_default()
        }
        other => other.clone(),
    }
}

pub(crate) fn columns(columns: &[(&str, &str)]) -> Value {
    let fields: Vec<Value> = columns
        .iter()
        .map(|(name, kind)| match kind.strip_suffix("[]") {
            Some(kind) => json!({"name": name, "type": kind, "mode": "REPEATED"}),
            None => json!({"name": name, "type": kind}),
        })
        .collect();
    json!({"fields": fields})
}
