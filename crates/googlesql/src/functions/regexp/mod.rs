//! REGEXP functions, based on the `regex` crate. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#regexp_contains>.

mod extract;
mod pattern;
mod replace;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [extract::functions(), replace::functions()].concat()
}

#[cfg(test)]
mod tests;
