//! `CAST(x AS T FORMAT 'form' [AT TIME ZONE 'zone'])`, which arrives as `$cast_t_format(x, 'form'
//! [, 'zone'])` and `$safe_cast_t_format`.
//!
//! Elements: <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements>.

mod bytes;
mod moment;
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
use super::super::overload::{Both, Overload};
use super::both;
use crate::civil_time::{self, MICROS_OF_DAY};
use bytes::Encoding;
use moment::MomentFormat;
use number::NumberFormat;
use read::{Needs, read};
use write::Moment;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        both("$cast_string_format", "$safe_cast_string_format", string()),
        both(
            "$cast_bytes_format",
            "$safe_cast_bytes_format",
            vec![Both::binary::<Text, Parsed<Encoding>, Bytes>(|text, form| form.decode(text))],
        ),
        both("$cast_date_format", "$safe_cast_date_format", vec![Both::binary::<Text, Parsed<MomentFormat>, Date>(date)]),
        both("$cast_time_format", "$safe_cast_time_format", vec![Both::binary::<Text, Parsed<MomentFormat>, Time>(time)]),
        both("$cast_datetime_format", "$safe_cast_datetime_format", vec![Both::binary::<Text, Parsed<MomentFormat>, Datetime>(datetime)]),
        both(
            "$cast_timestamp_format",
            "$safe_cast_timestamp_format",
            vec![
                Both::binary::<Text, Parsed<MomentFormat>, Timestamp>(|text, form| timestamp(text, form, &Zone::UTC)),
                ternary::<Text, Parsed<MomentFormat>, Parsed<Zone>, Timestamp>(timestamp),
            ],
        ),
    ]
    .concat()
}

fn ternary<A: Argument, B: Argument, C: Argument, R: Returned>(
    body: impl for<'a> Fn(A::Item<'a>, B::Item<'a>, C::Item<'a>) -> Result<R::Owned, FunctionError> + Copy + Send + Sync + 'static,
) -> Both {
    Both { strict: Overload::ternary::<A, B, C, R, _>(body), safe: Overload::ternary::<A, B, C, R, _>(move |a, b, c| body(a, b, c).ok()) }
}

fn string() -> Vec<Both> {
    vec![
        Both::binary::<Bytes, Parsed<Encoding>, Text>(|bytes, form| form.encode(bytes)),
        Both::binary::<Int64, Parsed<NumberFormat>, Text>(|value, form| form.write(i256::from_i128(i128::from(value)), 0)),
        Both::binary::<Float64, Parsed<NumberFormat>, Text>(|value, form| {
            let units = decimal::of_float(value, form.decimals());
            form.write(
                units.ok_or_else(|| FunctionError::new(format!("The local BigQuery does not format {value} as a number")))?,
                form.decimals(),
            )
        }),
        Both::binary::<Numeric, Parsed<NumberFormat>, Text>(|units, form| form.write(i256::from_i128(units), NUMERIC_SCALE)),
        Both::binary::<BigNumeric, Parsed<NumberFormat>, Text>(|units, form| form.write(units, BIGNUMERIC_SCALE)),
        Both::binary::<Date, Parsed<MomentFormat>, Text>(|days, form| Moment::Date(i64::from(days) * MICROS_OF_DAY).write(form)),
        Both::binary::<Time, Parsed<MomentFormat>, Text>(|micros, form| Moment::Time(micros).write(form)),
        Both::binary::<Datetime, Parsed<MomentFormat>, Text>(|micros, form| Moment::Datetime(micros).write(form)),
        Both::binary::<Timestamp, Parsed<MomentFormat>, Text>(|micros, form| Moment::timestamp(micros, &Zone::UTC).write(form)),
        ternary::<Timestamp, Parsed<MomentFormat>, Parsed<Zone>, Text>(|micros, form, zone| Moment::timestamp(micros, zone).write(form)),
    ]
}

fn date(text: &str, form: &MomentFormat) -> Result<i32, FunctionError> {
    // Within the calendar this is far from the ends of an i32.
    Ok(read(text, form, Needs::Date)?.civil.div_euclid(MICROS_OF_DAY) as i32)
}

fn time(text: &str, form: &MomentFormat) -> Result<i64, FunctionError> {
    Ok(read(text, form, Needs::Time)?.civil.rem_euclid(MICROS_OF_DAY))
}

fn datetime(text: &str, form: &MomentFormat) -> Result<i64, FunctionError> {
    Ok(read(text, form, Needs::Datetime)?.civil)
}

fn timestamp(text: &str, form: &MomentFormat, zone: &Zone) -> Result<i64, FunctionError> {
    let found = read(text, form, Needs::Timestamp)?;
    let micros = match found.offset_minutes {
        Some(minutes) => found.civil - minutes * 60_000_000,
        None => zone.timestamp(found.civil),
    };
    civil_time::checked_micros(micros).ok_or_else(|| FunctionError::new(format!("Invalid timestamp: '{text}'")))
}
