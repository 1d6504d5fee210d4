//! Mathematical functions. The operators are in [`arithmetic`](super::arithmetic). Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions>.

mod bits;
mod float;
mod greatest_least;
mod round;
mod sign;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [bits::functions(), greatest_least::functions(), float::functions(), round::functions(), sign::functions()].concat()
}

#[cfg(test)]
mod tests;
