//! GoogleSQL for DataFusion: runs a query over any [`Catalog`] of tables and returns typed rows.
//!
//! DataFusion's parser parses the query, and DataFusion executes the plan. This crate resolves names and types by the
//! rules of GoogleSQL, implements the functions and encodes the result. The path of a query:
//!
//! ```text
//! engine ── syntax ─────────── resolve ────────────── physical ────────── result
//! (threads, (escapes, tokens;  (names, types, scopes; (rules and nodes;   (columns, cells,
//!  cancel)   one statement,     a logical plan)        DataFusion runs     page by page)
//!            or an error)           │                  the plan)
//!                                   ├─ catalog     (the tables: a trait)
//!                                   └─ functions   (all functions)
//! ```
//!
//! A DELETE and a CREATE VIEW are resolved in the same way. The engine does not change tables. It returns a
//! [`DeletePlan`] or a [`NewView`], and the owner of the tables applies it.
//!
//! The crate does not return wrong results: a feature whose behavior differs from BigQuery's documentation is an error
//! with the feature's name and location.
//!
//! The crate has no storage, no server and no access control.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax>.

mod catalog;
mod cell;
pub mod civil_time;
mod delete_plan;
mod engine;
mod error;
mod error_location;
mod functions;
pub mod number_text;
mod physical;
mod planning_threads;
mod prepared;
mod query;
mod query_limits;
mod resolve;
mod result;
mod syntax;
#[cfg(test)]
mod tests;
pub mod types;

pub use catalog::{
    BytesProcessed, Catalog, CatalogEntry, ColumnInfo, DatasetInfo, DatasetName, Details, TABLE_SUFFIX, TableInfo, TableName, WildcardMatch,
};
pub use datafusion;
pub use delete_plan::DeletePlan;
pub use engine::Engine;
pub use error::QueryError;
pub use prepared::{NewView, OnExisting, Prepared, QueryResult};
pub use query::Query;
pub use result::Rows;
