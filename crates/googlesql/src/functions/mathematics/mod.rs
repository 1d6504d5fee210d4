//! Functions of numbers, but for the operators ([`arithmetic`](super::arithmetic)).

mod bits;
mod choose;
mod float;
mod round;
mod sign;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [bits::functions(), choose::functions(), float::functions(), round::functions(), sign::functions()].concat()
}

#[cfg(test)]
mod tests;
