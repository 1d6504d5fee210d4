//! The SQLite database.
//!
//! `store` opens it, and `writer` is the thread that writes. `catalog` and `rows` contain the SQL. `schema`,
//! `column_type`, `scalar` and `default_value` define the types of columns and the stored form of values. `query_catalog`
//! and `scan` provide the tables to the query engine. `delete` and `view` apply a DELETE and a CREATE VIEW.

pub(crate) mod catalog;
pub(crate) mod column_type;
mod columns;
mod default_value;
pub(crate) mod delete;
pub(crate) mod query_catalog;
pub(crate) mod rows;
pub(crate) mod scalar;
mod scan;
pub(crate) mod schema;
pub(crate) mod store;
pub(crate) mod view;
mod writer;
