//! insertAll: checks rows against the schema, deduplicates them by `insertId` and stores them in one transaction.
//!
//! `insertion` processes a request, and `row` checks one row. `rest::insert_all` is the HTTP handler.

pub(crate) mod insertion;
pub(crate) mod row;
