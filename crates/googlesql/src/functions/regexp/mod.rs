//! REGEXP_*: RE2's expressions, by the `regex` crate.

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
