//! GoogleSQL over the stored tables: a query in, typed rows out.
//!
//! DataFusion's parser reads it (with its BigQuery dialect), and DataFusion executes it. What lies
//! between is here, and speaks GoogleSQL. The path of a query:
//!
//! ```text
//! engine ── text ────────── resolve ─────────────── DataFusion ────────── result
//! (threads, (escapes, tokens; (names, types, meaning; (optimises, runs;     (columns, cells,
//!  limits)   one statement,    a logical plan)         session, in_turn)     page by page)
//!            or a refusal)        │                       │
//!                                 ├─ tables ── scan ──────┤  (stored rows, read as they are needed)
//!                                 └─ functions ───────────┘  (every function there is)
//! ```
//!
//! A DELETE (`delete`) and a CREATE VIEW (`view`) are resolved in the same way, and then carried out
//! by the store's writer.
//!
//! One rule: it never answers wrongly. What is not known to behave as BigQuery documents it is
//! refused by its name and place.

mod batch_function;
mod cell;
mod delete;
mod dialect;
mod doomed;
mod engine;
mod escapes;
mod execution;
mod float_comparison;
pub(crate) mod functions;
mod in_turn;
mod large_constant;
mod numbered;
mod order_key;
mod place;
mod resolve;
mod result;
mod scan;
mod scope;
mod session;
mod tables;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod types;
mod view;
mod wait;
mod work_table;
mod yielding;

pub(crate) use engine::Engine;
pub(crate) use result::Rows;

use serde_json::Value;

use super::errors::ApiError;
use super::names::DatasetRef;

/// A query as jobs.query and jobs.insert state it.
pub(crate) struct Query {
    /// The project that runs it: unqualified names are looked up there.
    pub project: String,
    pub default_dataset: Option<DatasetRef>,
    pub sql: String,
    /// `queryParameters` as they were sent.
    pub parameters: Vec<Value>,
    /// Plan it and say what it would give, run nothing.
    pub dry_run: bool,
}

/// What became of a query.
pub(crate) struct Answer {
    /// `statistics.query.statementType`: `SELECT`, `DELETE` or `CREATE_VIEW`.
    pub statement: &'static str,
    /// `{"fields": [...]}` of the result; none for a statement without rows.
    pub schema: Option<Value>,
    pub rows: Rows,
    /// Bytes of the tables that were read, as stored.
    pub bytes_processed: u64,
    /// Rows a DELETE removed.
    pub affected_rows: Option<u64>,
}

const RESOURCES_EXCEEDED: &str = "Resources exceeded during query execution: The query could not be executed in the allotted memory.";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// The text is not a query, or not one that this server knows: reason `invalidQuery`. The
    /// message ends with the place, ` at [LINE:COLUMN]`, where there is one.
    #[error("{0}")]
    Invalid(String),
    /// It needs more memory than queries are given: reason `resourcesExceeded`.
    #[error("{RESOURCES_EXCEEDED}")]
    ResourcesExceeded,
    /// A table, dataset, or the like.
    #[error(transparent)]
    Api(#[from] ApiError),
}
