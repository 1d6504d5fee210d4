//! `CAST(x AS T)` and `SAFE_CAST`, called as `$cast_t(x)` and `$safe_cast_t(x)`.
//!
//! Each file has a group of target types. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions#cast>.

mod date_time;
mod format;
mod numbers;
mod parse;
#[cfg(test)]
mod tests;
mod texts;

use super::Function;
use super::adapter;
use super::overload::StrictAndSafe;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        strict_and_safe("$cast_int64", "$safe_cast_int64", numbers::int64()),
        strict_and_safe("$cast_float64", "$safe_cast_float64", numbers::float64()),
        strict_and_safe("$cast_numeric", "$safe_cast_numeric", numbers::numeric()),
        strict_and_safe("$cast_bignumeric", "$safe_cast_bignumeric", numbers::bignumeric()),
        strict_and_safe("$cast_bool", "$safe_cast_bool", numbers::boolean()),
        strict_and_safe("$cast_string", "$safe_cast_string", texts::string()),
        strict_and_safe("$cast_bytes", "$safe_cast_bytes", texts::bytes()),
        strict_and_safe("$cast_json", "$safe_cast_json", texts::json()),
        strict_and_safe("$cast_date", "$safe_cast_date", date_time::date()),
        strict_and_safe("$cast_datetime", "$safe_cast_datetime", date_time::datetime()),
        strict_and_safe("$cast_time", "$safe_cast_time", date_time::time()),
        strict_and_safe("$cast_timestamp", "$safe_cast_timestamp", date_time::timestamp()),
        strict_and_safe("$cast_interval", "$safe_cast_interval", date_time::interval()),
        format::functions(),
        parse::functions(),
    ]
    .concat()
}

fn strict_and_safe(strict: &'static str, safe: &'static str, overloads: Vec<StrictAndSafe>) -> Vec<(&'static str, Function)> {
    let (stricts, safes) = overloads.into_iter().map(|pair| (pair.strict, pair.safe)).unzip();
    vec![adapter::cast(strict, stricts), adapter::cast(safe, safes)]
}
