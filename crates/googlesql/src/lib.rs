//! GoogleSQL for DataFusion: a query in, typed rows out, over any [`Catalog`] of tables.
//!
//! DataFusion's parser reads the query, and DataFusion executes it. What lies between is here, and follows GoogleSQL.
//! The path of a query:
//!
//! ```text
//! engine ── syntax ─────────── resolve ────────────── physical ────────── result
//! (threads, (escapes, tokens;  (names, types, scopes; (rules and nodes;   (columns, cells,
//!  cancel)   one statement,     a logical plan)        DataFusion runs     page by page)
//!            or an error)           │                  the plan)
//!                                   ├─ catalog     (the tables: a trait)
//!                                   └─ functions   (every function there is)
//! ```
//!
//! A DELETE and a CREATE VIEW are resolved in the same way. The engine changes no table: it gives a [`DeletePlan`] or a
//! [`NewView`], which the owner of the tables carries out.
//!
//! One rule: it never answers wrongly. What is not known to behave as BigQuery documents it is an error that names the
//! feature and its location.
//!
//! What it is not: a storage, a server, an access control. It depends on neither.

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
mod prepared;
mod query;
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
