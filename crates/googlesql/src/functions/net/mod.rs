//! NET.*: hosts of URLs, and addresses.

mod address;
mod host;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [address::functions(), host::functions()].concat()
}

#[cfg(test)]
mod tests;
