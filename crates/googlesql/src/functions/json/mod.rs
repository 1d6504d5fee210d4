//! JSON: reading it by path, making it, what it holds.
//!
//! JSON in a STRING keeps its order of members and its numbers as they are written; only white space
//! goes. Values of the type JSON have one form of their own ([`tree`]).

mod change;
mod extract;
mod indent;
mod make;
mod member;
mod path;
mod scalar_of;
mod scan;
mod strip;
mod tree;
mod write;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        change::functions(),
        extract::functions(),
        make::functions(),
        member::functions(),
        scalar_of::functions(),
        strip::functions(),
        write::functions(),
    ]
    .concat()
}

#[cfg(test)]
mod tests;
