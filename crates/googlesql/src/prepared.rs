//! The outcome of [`Engine::prepare`](crate::Engine::prepare): a result, or a change for the owner of the tables.

use serde_json::Value;

use crate::catalog::TableName;
use crate::delete_plan::DeletePlan;
use crate::result::Rows;

/// The result of a query.
pub struct QueryResult {
    /// BigQuery's `statistics.query.statementType`: `SELECT`, `DELETE` or `CREATE_VIEW`.
    pub statement: &'static str,
    /// `{"fields": [...]}` of the result; `None` for a statement without rows.
    pub schema: Option<Value>,
    /// The rows.
    pub rows: Rows,
    /// Stored bytes of the rows that the query read.
    pub bytes_processed: u64,
    /// Number of rows that a DELETE removed.
    pub affected_rows: Option<u64>,
}

impl QueryResult {
    /// The result of a statement that has no rows.
    pub fn without_rows(statement: &'static str) -> QueryResult {
        QueryResult { statement, schema: None, rows: Rows::default(), bytes_processed: 0, affected_rows: None }
    }
}

/// A query after the engine ran it. The owner of the tables applies the changes.
pub enum Prepared {
    /// The query is done.
    Done(QueryResult),
    /// A DELETE to apply.
    Delete(DeletePlan),
    /// A CREATE VIEW to apply.
    CreateView(NewView),
}

/// A view to create.
#[derive(Clone, Debug)]
pub struct NewView {
    /// The name.
    pub name: TableName,
    /// The text of the view's query.
    pub query: String,
    /// `{"fields": [...]}` of the view's columns.
    pub schema: Value,
    /// The action if the name exists.
    pub on_existing: OnExisting,
}

/// The action of CREATE VIEW if a table or view of the name exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExisting {
    /// CREATE VIEW: fail.
    Fail,
    /// CREATE OR REPLACE VIEW: replace the view. Fail if it is a table.
    Replace,
    /// CREATE VIEW IF NOT EXISTS: do nothing.
    Keep,
}
