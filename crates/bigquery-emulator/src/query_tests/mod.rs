//! Queries over stored tables, without HTTP.

mod stored_tables;

use std::sync::Arc;

use googlesql::{DatasetName, Query, QueryError, QueryResult};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::names::{DatasetRef, TableRef};
use crate::queries::Queries;
use crate::storage::catalog;
use crate::storage::store::Store;
use crate::streaming::insertion;
use crate::streaming::insertion::{Insertion, SentRow};
use crate::streaming::row::Unknown;

const PROJECT: &str = "my-proj-123";

/// A store with tables in it, and queries of them.
pub(crate) struct Warehouse {
    queries: Queries,
    store: Arc<Store>,
    _dir: TempDir,
}

impl Warehouse {
    pub(crate) fn open() -> Warehouse {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Arc::new(Store::open(dir.path()).expect("a store"));
        Warehouse { queries: Queries::start(Arc::clone(&store)).expect("an engine"), store, _dir: dir }
    }

    pub(crate) async fn table(&self, dataset: &str, table: &str, schema: Value, rows: Vec<Value>) {
        let dataset = DatasetRef { project: PROJECT.to_owned(), dataset: dataset.to_owned() };
        let name = TableRef { dataset: dataset.clone(), table: table.to_owned() };
        let rows = rows.into_iter().map(|row| SentRow { insert_id: None, json: row.as_object().cloned().unwrap_or_default() }).collect();
        self.store
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
                    unknown: Unknown::Refuse,
                    #[cfg(feature = "faults")]
                    refuse: None,
                };
                let errors = insertion::store(db, &insertion, 0)?;
                assert!(errors.is_empty(), "{errors:?}");
                Ok(())
            })
            .await
            .expect("a table");
    }

    pub(crate) async fn answer(&self, sql: &str, parameters: Vec<Value>) -> Result<QueryResult, QueryError> {
        let default_dataset = Some(DatasetName { project: PROJECT.to_owned(), dataset: "pixels".to_owned() });
        let query = Query { project: PROJECT.to_owned(), default_dataset, sql: sql.to_owned(), parameters, dry_run: false };
        self.queries.run(query).await
    }

    /// The schema and the rows.
    pub(crate) async fn ask(&self, sql: &str, parameters: Vec<Value>) -> Result<(Value, Vec<Value>), QueryError> {
        let answer = self.answer(sql, parameters).await?;
        let rows = answer.rows.page(0, usize::MAX, usize::MAX, false);
        assert_eq!(rows.len(), answer.rows.len());
        let plain = |cell: &Value| plain(&cell["v"]);
        let rows = rows.iter().map(|row| row["f"].as_array().map(|cells| cells.iter().map(plain).collect()).unwrap_or_default()).collect();
        Ok((answer.schema.unwrap_or_default(), rows))
    }
}

/// `{"v": …}` and `{"f": …}` as plain arrays.
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
