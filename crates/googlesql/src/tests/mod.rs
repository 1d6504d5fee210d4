//! Tests of the engine over tables in memory. The query corpus in `tests/cases` tests the language itself.

mod errors;
mod limits;
mod results;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use serde_json::Value;

use crate::planning_threads::PlanningThreads;
use crate::{
    Catalog, CatalogEntry, ColumnInfo, DatasetInfo, DatasetName, Details, Engine, Prepared, Query, QueryError, QueryResult, TableInfo,
    TableName, WildcardMatch,
};

const PROJECT: &str = "my-proj-123";
const DATASET: &str = "pixels";

/// An engine with tables in memory.
pub(crate) struct TestEngine {
    engine: Engine,
    tables: MemoryCatalog,
}

impl TestEngine {
    pub(crate) fn start() -> TestEngine {
        TestEngine::start_with(PlanningThreads::default())
    }

    pub(crate) fn start_with(planning: PlanningThreads) -> TestEngine {
        TestEngine { engine: Engine::start_with(planning).expect("an engine"), tables: MemoryCatalog::default() }
    }

    /// Adds a table with one INT64 column.
    pub(crate) fn table(&mut self, table: &str, column: &str, values: Vec<i64>) {
        let schema = Arc::new(Schema::new(vec![Field::new(column, DataType::Int64, true)]));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(values))]).expect("a batch");
        self.provider(table, Arc::new(MemTable::try_new(schema, vec![vec![batch]]).expect("a table")));
    }

    pub(crate) fn provider(&mut self, table: &str, provider: Arc<dyn TableProvider>) {
        self.tables.0.insert(table.to_owned(), provider);
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) async fn prepare(&self, query: Query) -> Result<Prepared, QueryError> {
        self.engine.prepare(self.tables.clone(), query).await
    }

    pub(crate) async fn result(&self, sql: &str) -> Result<QueryResult, QueryError> {
        match self.prepare(query(sql)).await? {
            Prepared::Done(result) => Ok(result),
            Prepared::Delete(_) | Prepared::CreateView(_) => panic!("{sql} changes the catalog"),
        }
    }

    /// Runs a query and returns its rows as arrays.
    pub(crate) async fn rows(&self, sql: &str) -> Result<Vec<Value>, QueryError> {
        let result = self.result(sql).await?;
        let rows = result.rows.page(0, usize::MAX, usize::MAX, false);
        assert_eq!(rows.len(), result.rows.len());
        Ok(rows.iter().map(plain).collect())
    }
}

pub(crate) fn query(sql: &str) -> Query {
    Query { project: PROJECT.to_owned(), default_dataset: Some(dataset()), sql: sql.to_owned(), ..Query::default() }
}

fn dataset() -> DatasetName {
    DatasetName { project: PROJECT.to_owned(), dataset: DATASET.to_owned() }
}

/// Converts `{"v": …}` and `{"f": …}` to plain arrays.
fn plain(value: &Value) -> Value {
    let cells = |cells: &Vec<Value>| cells.iter().map(|cell| plain(&cell["v"])).collect();
    match value {
        Value::Array(elements) => cells(elements),
        Value::Object(members) => members["f"].as_array().map(cells).expect("cells"),
        other => other.clone(),
    }
}

/// The tables of one dataset.
#[derive(Clone, Default)]
struct MemoryCatalog(BTreeMap<String, Arc<dyn TableProvider>>);

impl Catalog for MemoryCatalog {
    fn table(&self, name: &TableName) -> Result<Option<CatalogEntry>, QueryError> {
        let table = self.0.get(&name.table).filter(|_| name.dataset == dataset());
        Ok(table.map(|table| CatalogEntry::Table { provider: Arc::clone(table), bytes: 0 }))
    }

    fn wildcard(&self, _: &DatasetName, _: &str) -> Result<WildcardMatch, QueryError> {
        Ok(WildcardMatch::NoTable)
    }

    fn dataset(&self, name: &DatasetName) -> Result<Option<DatasetInfo>, QueryError> {
        Ok((*name == dataset()).then(|| DatasetInfo { name: name.clone(), location: "US".to_owned(), created: 0, modified: 0 }))
    }

    fn datasets(&self, _: &str) -> Result<Vec<DatasetInfo>, QueryError> {
        Ok(self.dataset(&dataset())?.into_iter().collect())
    }

    fn visit_tables(&self, _: &DatasetName, details: Details, visit: &mut dyn FnMut(TableInfo<'_>)) -> Result<(), QueryError> {
        for (table, provider) in &self.0 {
            let schema = provider.schema();
            let columns = match details {
                Details::WithoutColumns => Arc::from([]),
                Details::WithColumns => {
                    schema.fields().iter().map(|field| ColumnInfo { field: field.as_ref().clone(), is_nullable: true }).collect()
                }
            };
            visit(TableInfo { table, view: None, created: 0, modified: 0, rows: 0, bytes: 0, columns });
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_delete_returns_a_delete_plan() {
    let mut test = TestEngine::start();
    test.table("t", "number", vec![1, 2, 3]);
    let prepared = test.prepare(query("DELETE FROM t WHERE number > (SELECT MIN(number) FROM t)")).await;
    let Ok(Prepared::Delete(plan)) = prepared else { panic!("expected a delete plan") };
    assert_eq!(plan.name.to_string(), "my-proj-123:pixels.t");
    let batch = RecordBatch::try_new(Arc::clone(&plan.columns), vec![Arc::new(Int64Array::from(vec![1, 2, 3]))]).expect("a batch");
    assert_eq!(plan.matches(&batch).expect("a mask"), [false, true, true]);
}

#[tokio::test]
async fn a_create_view_returns_a_new_view() {
    let test = TestEngine::start();
    let Ok(Prepared::CreateView(view)) = test.prepare(query("CREATE VIEW v AS\n SELECT 1 AS x;")).await else { panic!("expected a view") };
    assert_eq!((view.name.to_string(), view.query), ("my-proj-123:pixels.v".to_owned(), "SELECT 1 AS x".to_owned()));
    assert_eq!(view.schema["fields"][0]["name"], "x");
}

#[tokio::test]
async fn information_schema_lists_the_tables_of_the_catalog() {
    let mut test = TestEngine::start();
    test.table("t", "number", vec![1]);
    let rows = test.rows("SELECT table_name, column_name, data_type FROM INFORMATION_SCHEMA.COLUMNS").await.expect("rows");
    assert_eq!(Value::from(rows), serde_json::json!([["t", "number", "INT64"]]));
    let error = test.rows("SELECT * FROM elsewhere.t").await.expect_err("there is no such dataset");
    assert_eq!(error.to_string(), "Not found: Dataset my-proj-123:elsewhere was not found in location US");
}
