//! JSON functions, grouped as in the reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions>.
//!
//! JSON in a STRING keeps its member order and its number format. Only white space is removed. Values
//! of the type JSON are normalized ([`tree`]).

mod accessors;
mod constructors;
mod converters;
mod extractors;
mod indent;
mod mutators;
mod path;
mod scan;
mod strip_nulls;
mod to_json;
mod tree;

use super::Function;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        mutators::functions(),
        extractors::functions(),
        constructors::functions(),
        accessors::functions(),
        converters::functions(),
        strip_nulls::functions(),
        to_json::functions(),
    ]
    .concat()
}

#[cfg(test)]
mod tests;
