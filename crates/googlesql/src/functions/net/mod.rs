//! NET functions. Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/net_functions>.

mod address;
mod host;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [address::functions(), host::functions()].concat()
}

#[cfg(test)]
mod tests;
