//! Casts to STRING, BYTES and JSON.

use datafusion::arrow::datatypes::i256;

use super::super::calendar::{Zone, interval, text};
use super::super::column::{BigNumeric, Bool, Bytes, Date, Datetime, Float64, Int64, Interval, Json, Numeric, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::number::floating;
use super::super::overload::StrictAndSafe;

pub(crate) fn string() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Text, Text>(|text| Ok(text.to_owned())),
        StrictAndSafe::unary::<Int64, Text>(|value| Ok(value.to_string())),
        StrictAndSafe::unary::<Float64, Text>(|value| Ok(floating::write(value))),
        StrictAndSafe::unary::<Numeric, Text>(|units| Ok(decimal::write(i256::from_i128(units), NUMERIC_SCALE))),
        StrictAndSafe::unary::<BigNumeric, Text>(|units| Ok(decimal::write(units, BIGNUMERIC_SCALE))),
        StrictAndSafe::unary::<Bool, Text>(|value| Ok(value.to_string())),
        StrictAndSafe::unary::<Bytes, Text>(|bytes| {
            String::from_utf8(bytes.to_vec()).map_err(|_| FunctionError::new("Invalid cast of bytes to UTF8 string"))
        }),
        StrictAndSafe::unary::<Date, Text>(|days| Ok(text::format_date(days))),
        StrictAndSafe::unary::<Time, Text>(|micros| Ok(text::format_time(micros))),
        StrictAndSafe::unary::<Datetime, Text>(|micros| Ok(text::format_datetime(micros))),
        StrictAndSafe::unary::<Timestamp, Text>(|micros| Ok(text::format_timestamp(micros, &Zone::UTC))),
        StrictAndSafe::unary::<Interval, Text>(|value| Ok(interval::format_interval(value))),
    ]
}

pub(crate) fn bytes() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Bytes, Bytes>(|bytes| Ok(bytes.to_vec())),
        StrictAndSafe::unary::<Text, Bytes>(|text| Ok(text.as_bytes().to_vec())),
    ]
}

pub(crate) fn json() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::unary::<Json, Json>(|json| Ok(json.to_owned()))]
}
