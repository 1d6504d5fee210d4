//! Parses the text of a query into a syntax tree.
//!
//! `statement` runs sqlparser. `dialect`, `escapes` and `tokens` adapt it to GoogleSQL, and `limits`
//! rejects texts that are too large. `unclosed`, `sequence` and `syntax_error` report syntax errors with BigQuery's wording
//! and place. `resolve` takes the tree.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical>.

mod dialect;
pub(crate) mod escapes;
mod limits;
mod reserved;
mod sequence;
pub(crate) mod statement;
mod syntax_error;
mod tokens;
mod unclosed;
