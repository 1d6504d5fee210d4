//! `CAST(x AS T)` and `SAFE_CAST`, which arrive as `$cast_t(x)` and `$safe_cast_t(x)`.
//!
//! One file per group of targets; each lists the types it can be made of, and how. Rules:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast>.

mod format;
mod moments;
mod numbers;
mod parse;
#[cfg(test)]
mod tests;
mod texts;

use super::Function;
use super::adapter;
use super::overload::Both;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        both("$cast_int64", "$safe_cast_int64", numbers::int64()),
        both("$cast_float64", "$safe_cast_float64", numbers::float64()),
        both("$cast_numeric", "$safe_cast_numeric", numbers::numeric()),
        both("$cast_bignumeric", "$safe_cast_bignumeric", numbers::bignumeric()),
        both("$cast_bool", "$safe_cast_bool", numbers::boolean()),
        both("$cast_string", "$safe_cast_string", texts::string()),
        both("$cast_bytes", "$safe_cast_bytes", texts::bytes()),
        both("$cast_json", "$safe_cast_json", texts::json()),
        both("$cast_date", "$safe_cast_date", moments::date()),
        both("$cast_datetime", "$safe_cast_datetime", moments::datetime()),
        both("$cast_time", "$safe_cast_time", moments::time()),
        both("$cast_timestamp", "$safe_cast_timestamp", moments::timestamp()),
        both("$cast_interval", "$safe_cast_interval", moments::interval()),
        format::functions(),
        parse::functions(),
    ]
    .concat()
}

fn both(strict: &'static str, safe: &'static str, overloads: Vec<Both>) -> Vec<(&'static str, Function)> {
    let (stricts, safes) = overloads.into_iter().map(|both| (both.strict, both.safe)).unzip();
    vec![adapter::cast(strict, stricts), adapter::cast(safe, safes)]
}
