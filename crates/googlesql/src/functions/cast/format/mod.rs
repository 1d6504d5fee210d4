//! `CAST(x AS T FORMAT 'format' [AT TIME ZONE 'zone'])`, called as `$cast_t_format(x, 'format'[, 'zone'])`
//! and `$safe_cast_t_format`.
//!
//! Format elements: <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements>.

mod bytes;
mod date_time_format;
mod number;
mod read;
#[cfg(test)]
mod tests;
mod write;

use datafusion::arrow::datatypes::i256;

use super::super::Function;
use super::super::calendar::Zone;
use super::super::column::{Argument, BigNumeric, Bytes, Date, Datetime, Float64, Int64, Numeric, Parsed, Returned, Text, Time, Timestamp};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::overload::{Overload, StrictAndSafe};
use super::strict_and_safe;
use crate::civil_time::{self, MICROS_OF_DAY};
use bytes::Encoding;
use date_time_format::DateTimeFormat;
use number::NumberFormat;
use read::{TargetType, read};
use write::DateTimeValue;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        strict_and_safe("$cast_string_format", "$safe_cast_string_format", string()),
        strict_and_safe(
            "$cast_bytes_format",
            "$safe_cast_bytes_format",
            vec![StrictAndSafe::binary::<Text, Parsed<Encoding>, Bytes>(|text, format| format.decode(text))],
        ),
        strict_and_safe(
            "$cast_date_format",
            "$safe_cast_date_format",
            vec![StrictAndSafe::binary::<Text, Parsed<DateTimeFormat>, Date>(date)],
        ),
        strict_and_safe(
            "$cast_time_format",
            "$safe_cast_time_format",
            vec![StrictAndSafe::binary::<Text, Parsed<DateTimeFormat>, Time>(time)],
        ),
        strict_and_safe(
            "$cast_datetime_format",
            "$safe_cast_datetime_format",
            vec![StrictAndSafe::binary::<Text, Parsed<DateTimeFormat>, Datetime>(datetime)],
        ),
        strict_and_safe(
            "$cast_timestamp_format",
            "$safe_cast_timestamp_format",
            vec![
                StrictAndSafe::binary::<Text, Parsed<DateTimeFormat>, Timestamp>(|text, format| timestamp(text, format, &Zone::UTC)),
                ternary::<Text, Parsed<DateTimeFormat>, Parsed<Zone>, Timestamp>(timestamp),
            ],
        ),
    ]
    .concat()
}

fn ternary<A: Argument, B: Argument, C: Argument, R: Returned>(
    body: impl for<'a> Fn(A::Item<'a>, B::Item<'a>, C::Item<'a>) -> Result<R::Owned, FunctionError> + Copy + Send + Sync + 'static,
) -> StrictAndSafe {
    StrictAndSafe {
        strict: Overload::ternary::<A, B, C, R, _>(body),
        safe: Overload::ternary::<A, B, C, R, _>(move |a, b, c| body(a, b, c).ok()),
    }
}

fn string() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::binary::<Bytes, Parsed<Encoding>, Text>(|bytes, format| format.encode(bytes)),
        StrictAndSafe::binary::<Int64, Parsed<NumberFormat>, Text>(|value, format| format.write(i256::from_i128(i128::from(value)), 0)),
        StrictAndSafe::binary::<Float64, Parsed<NumberFormat>, Text>(|value, format| {
            let units = decimal::from_float(value, format.decimals());
            format.write(
                units.ok_or_else(|| FunctionError::new(format!("The BigQuery emulator does not format {value} as a number")))?,
                format.decimals(),
            )
        }),
        StrictAndSafe::binary::<Numeric, Parsed<NumberFormat>, Text>(|units, format| format.write(i256::from_i128(units), NUMERIC_SCALE)),
        StrictAndSafe::binary::<BigNumeric, Parsed<NumberFormat>, Text>(|units, format| format.write(units, BIGNUMERIC_SCALE)),
        StrictAndSafe::binary::<Date, Parsed<DateTimeFormat>, Text>(|days, format| {
            DateTimeValue::Date(i64::from(days) * MICROS_OF_DAY).write(format)
        }),
        StrictAndSafe::binary::<Time, Parsed<DateTimeFormat>, Text>(|micros, format| DateTimeValue::Time(micros).write(format)),
        StrictAndSafe::binary::<Datetime, Parsed<DateTimeFormat>, Text>(|micros, format| DateTimeValue::Datetime(micros).write(format)),
        StrictAndSafe::binary::<Timestamp, Parsed<DateTimeFormat>, Text>(|micros, format| {
            DateTimeValue::timestamp(micros, &Zone::UTC).write(format)
        }),
        ternary::<Timestamp, Parsed<DateTimeFormat>, Parsed<Zone>, Text>(|micros, format, zone| {
            DateTimeValue::timestamp(micros, zone).write(format)
        }),
    ]
}

fn date(text: &str, format: &DateTimeFormat) -> Result<i32, FunctionError> {
    // The range of supported dates fits into an i32.
    Ok(read(text, format, TargetType::Date)?.civil.div_euclid(MICROS_OF_DAY) as i32)
}

fn time(text: &str, format: &DateTimeFormat) -> Result<i64, FunctionError> {
    Ok(read(text, format, TargetType::Time)?.civil.rem_euclid(MICROS_OF_DAY))
}

fn datetime(text: &str, format: &DateTimeFormat) -> Result<i64, FunctionError> {
    Ok(read(text, format, TargetType::Datetime)?.civil)
}

fn timestamp(text: &str, format: &DateTimeFormat, zone: &Zone) -> Result<i64, FunctionError> {
    let found = read(text, format, TargetType::Timestamp)?;
    let micros = match found.offset_minutes {
        Some(minutes) => found.civil - minutes * 60_000_000,
        None => zone.timestamp(found.civil),
    };
    civil_time::checked_micros(micros).ok_or_else(|| FunctionError::new(format!("Invalid timestamp: '{text}'")))
}
