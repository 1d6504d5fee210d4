//! Functions of STRING and BYTES.
//!
//! A character is a code point; a position is counted from 1 and in characters, in bytes for
//! BYTES.

pub(crate) mod base;
mod case;
mod code_points;
mod concatenate;
mod distance;
mod find;
mod length;
mod normalize;
mod pad;
mod replace;
mod slice;
mod split;
mod trim;

use super::Function;
use super::function_error::FunctionError;
pub(crate) use concatenate::{bytes as concatenated_bytes, texts as concatenated_texts};

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        base::functions(),
        case::functions(),
        code_points::functions(),
        concatenate::functions(),
        distance::functions(),
        find::functions(),
        length::functions(),
        normalize::functions(),
        pad::functions(),
        replace::functions(),
        slice::functions(),
        split::functions(),
        trim::functions(),
    ]
    .concat()
}

/// The most bytes that REPEAT, LPAD and the like make.
const MAX_BYTES: usize = 1 << 20;

/// The size, if a result may be that big.
fn output(function: &str, bytes: usize) -> Result<usize, FunctionError> {
    match bytes <= MAX_BYTES {
        true => Ok(bytes),
        false => Err(FunctionError::new(format!("Output of {function} exceeds max allowed output size of 1MB"))),
    }
}

/// The argument as a length.
fn count(function: &str, number: i64) -> Result<usize, FunctionError> {
    usize::try_from(number).map_err(|_| FunctionError::new(format!("Length argument of {function} cannot be negative: {number}")))
}

#[cfg(test)]
mod tests;
