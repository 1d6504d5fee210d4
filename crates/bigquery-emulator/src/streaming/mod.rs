//! insertAll: rows are checked against the schema, de-duplicated by `insertId`, and stored in one transaction.
//!
//! `insertion` is what happens to a request, `row` what happens to one of its rows. Neither knows HTTP.

pub(crate) mod insertion;
pub(crate) mod row;
