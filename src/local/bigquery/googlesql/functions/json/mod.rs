//! JSON: reading it by path, making it, what it holds.
//!
//! JSON text keeps its order of members and its numbers as they are written; only white space goes.

mod extract;
mod make;
mod member;
mod path;
mod scalar_of;
mod scan;
mod write;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(super) fn functions() -> Vec<(&'static str, Function)> {
    [extract::functions(), make::functions(), member::functions(), scalar_of::functions(), write::functions()].concat()
}

#[cfg(test)]
mod tests;
