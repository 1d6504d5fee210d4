//! Parses the text of a query into a syntax tree.
//!
//! `statement` runs sqlparser. `dialect`, `escapes` and `tokens` adapt it to GoogleSQL, and `limits`
//! rejects texts that are too large. `resolve` takes the tree.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical>.

mod dialect;
pub(crate) mod escapes;
mod limits;
pub(crate) mod statement;
mod tokens;
