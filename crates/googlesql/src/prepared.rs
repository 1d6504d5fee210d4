//! What comes of a query: its result, or what the owner of the tables has to carry out.

use serde_json::Value;

use crate::catalog::TableName;
use crate::delete_plan::DeletePlan;
use crate::result::Rows;

/// The result of a query.
pub struct QueryResult {
    /// BigQuery's `statistics.query.statementType`: `SELECT`, `DELETE` or `CREATE_VIEW`.
    pub statement: &'static str,
    /// `{"fields": [...]}` of the result; none for a statement without rows.
    pub schema: Option<Value>,
    /// The rows.
    pub rows: Rows,
    /// Bytes of the tables that were read, as stored.
    pub bytes_processed: u64,
    /// Rows that a DELETE removed.
    pub affected_rows: Option<u64>,
}

impl QueryResult {
    /// The result of a statement that has no rows.
    pub fn without_rows(statement: &'static str) -> QueryResult {
        QueryResult { statement, schema: None, rows: Rows::default(), bytes_processed: 0, affected_rows: None }
    }
}

/// A query that was run as far as the engine can: what changes the catalog is left to its owner.
pub enum Prepared {
    /// The query is done.
    Done(QueryResult),
    /// Rows have to be deleted.
    Delete(DeletePlan),
    /// A view has to be created.
    CreateView(NewView),
}

/// A view that has to be created.
#[derive(Clone, Debug)]
pub struct NewView {
    /// Its name.
    pub name: TableName,
    /// The text of its query.
    pub query: String,
    /// `{"fields": [...]}` of its columns.
    pub schema: Value,
    /// What to do if there is a table or view of this name.
    pub on_existing: OnExisting,
}

/// What CREATE VIEW does if there is a table or view of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExisting {
    /// CREATE VIEW: an error.
    Fail,
    /// CREATE OR REPLACE VIEW: replace a view. A table is an error.
    Replace,
    /// CREATE VIEW IF NOT EXISTS: leave it as it is.
    Keep,
}
