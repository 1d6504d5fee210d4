//! Text into a syntax tree: sqlparser with what GoogleSQL needs beyond it.
//!
//! `statement` drives the parser. `dialect`, `escapes` and `tokens` adapt it to GoogleSQL.

mod dialect;
pub(crate) mod escapes;
pub(crate) mod statement;
mod tokens;
