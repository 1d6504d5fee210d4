//! The SQLite file and everything that is asked of it.
//!
//! `store` opens it, `writer` is the one thread that writes. `catalog` and `rows` are SQL. `schema`, `column_type`,
//! `scalar` and `default_value` say what a table's columns take and how values are stored. `query_catalog` and `scan` give
//! the tables to the query engine; `delete` and `view` carry out what it prepared.

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
