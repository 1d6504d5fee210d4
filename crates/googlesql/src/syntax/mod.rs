//! Parses the text of a query into a syntax tree.
//!
//! `statement` runs sqlparser. `dialect`, `escapes` and `tokens` adapt it to GoogleSQL. `resolve` takes the tree.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical>.

mod dialect;
pub(crate) mod escapes;
pub(crate) mod statement;
mod tokens;
