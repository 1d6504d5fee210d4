//! To STRING, BYTES and JSON.

use datafusion::arrow::datatypes::i256;

use super::super::calendar::{Zone, interval, text};
use super::super::column::{BigNumeric, Bool, Bytes, Date, Datetime, Float64, Int64, Interval, Json, Numeric, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::number::floating;
use super::super::overload::Both;

pub(crate) fn string() -> Vec<Both> {
    vec![
        Both::unary::<Text, Text>(|text| Ok(text.to_owned())),
        Both::unary::<Int64, Text>(|value| Ok(value.to_string())),
        Both::unary::<Float64, Text>(|value| Ok(floating::write(value))),
        Both::unary::<Numeric, Text>(|units| Ok(decimal::write(i256::from_i128(units), NUMERIC_SCALE))),
        Both::unary::<BigNumeric, Text>(|units| Ok(decimal::write(units, BIGNUMERIC_SCALE))),
        Both::unary::<Bool, Text>(|value| Ok(value.to_string())),
        Both::unary::<Bytes, Text>(|bytes| {
            String::from_utf8(bytes.to_vec()).map_err(|_| FunctionError::new("Invalid cast of bytes to UTF8 string"))
        }),
        Both::unary::<Date, Text>(|days| Ok(text::write_date(days))),
        Both::unary::<Time, Text>(|micros| Ok(text::write_time(micros))),
        Both::unary::<Datetime, Text>(|micros| Ok(text::write_datetime(micros))),
        Both::unary::<Timestamp, Text>(|micros| Ok(text::write_timestamp(micros, &Zone::UTC))),
        Both::unary::<Interval, Text>(|value| Ok(interval::text(value))),
    ]
}

pub(crate) fn bytes() -> Vec<Both> {
    vec![Both::unary::<Bytes, Bytes>(|bytes| Ok(bytes.to_vec())), Both::unary::<Text, Bytes>(|text| Ok(text.as_bytes().to_vec()))]
}

pub(crate) fn json() -> Vec<Both> {
    vec![Both::unary::<Json, Json>(|json| Ok(json.to_owned()))]
}
