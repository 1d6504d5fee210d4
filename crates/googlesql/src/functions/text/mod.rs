//! String functions. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions>.
//!
//! STRING positions count characters (code points) from 1. BYTES positions count bytes from 1.

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
pub(crate) use concatenate::{concatenate_bytes, concatenate_texts};
pub(crate) use split::collect_parts;

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

/// BigQuery's limit for the output of REPEAT, LPAD and RPAD.
const MAX_BYTES: usize = 1 << 20;

/// Returns the size, or an error if it exceeds the limit.
fn check_output_size(function: &str, bytes: usize) -> Result<usize, FunctionError> {
    match bytes <= MAX_BYTES {
        true => Ok(bytes),
        false => Err(FunctionError::new(format!("Output of {function} exceeds max allowed output size of 1MB"))),
    }
}

/// Converts the argument to a length.
fn to_length(function: &str, number: i64) -> Result<usize, FunctionError> {
    usize::try_from(number).map_err(|_| FunctionError::new(format!("Length argument of {function} cannot be negative: {number}")))
}

#[cfg(test)]
mod tests;
