//! Conversion between Arrow arrays and the Rust values that function bodies use.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow;
use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array, Int64Array,
    IntervalMonthDayNanoArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};

use datafusion::arrow::datatypes::{IntervalMonthDayNano, i256};

use super::function_error::FunctionError;
use super::memory_budget::MemorySize;
use super::sql_type::SqlType;

/// A parameter type. It reads Rust values from an Arrow array.
pub(crate) trait Argument: 'static {
    type Column;
    type Item<'a>;
    const SQL_TYPE: SqlType;

    /// Returns none if the array has a different type. Coercion prevents that.
    fn column(array: &ArrayRef) -> Option<Self::Column>;
    fn item(column: &Self::Column, row: usize) -> Result<Self::Item<'_>, FunctionError>;
}

/// A result type. It builds an Arrow array from Rust values.
pub(crate) trait Returned: 'static {
    type Owned: MemorySize;
    const SQL_TYPE: SqlType;

    fn collect(values: impl Iterator<Item = Result<Option<Self::Owned>, FunctionError>>) -> Result<ArrayRef, FunctionError>;
}

macro_rules! values {
    ($a:lifetime: $($(#[$doc:meta])* $marker:ident: $array:ty, $item:ty, $owned:ty;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $marker;

        impl Argument for $marker {
            type Column = $array;
            type Item<$a> = $item;
            const SQL_TYPE: SqlType = SqlType::$marker;

            fn column(array: &ArrayRef) -> Option<$array> {
                array.as_any().downcast_ref().cloned()
            }

            fn item<$a>(column: &$a $array, row: usize) -> Result<$item, FunctionError> {
                Ok(column.value(row))
            }
        }

        impl Returned for $marker {
            type Owned = $owned;
            const SQL_TYPE: SqlType = SqlType::$marker;

            fn collect(values: impl Iterator<Item = Result<Option<$owned>, FunctionError>>) -> Result<ArrayRef, FunctionError> {
                let array = values.collect::<Result<$array, FunctionError>>()?;
                Ok(finish(SqlType::$marker, array))
            }
        }
    )*};
}

values! {
    'a:
    Bool: BooleanArray, bool, bool;
    Int64: Int64Array, i64, i64;
    Float64: Float64Array, f64, f64;
    /// In units of 1e-9.
    Numeric: Decimal128Array, i128, i128;
    /// In units of 1e-38.
    BigNumeric: Decimal256Array, i256, i256;
    Text: StringArray, &'a str, String;
    Bytes: BinaryArray, &'a [u8], Vec<u8>;
    /// Days since 1970-01-01.
    Date: Date32Array, i32, i32;
    /// Microseconds since midnight.
    Time: Time64MicrosecondArray, i64, i64;
    /// Microseconds since 1970-01-01 00:00:00 of civil time.
    Datetime: TimestampMicrosecondArray, i64, i64;
    /// Microseconds since 1970-01-01 00:00:00 UTC.
    Timestamp: TimestampMicrosecondArray, i64, i64;
    Interval: IntervalMonthDayNanoArray, IntervalMonthDayNano, IntervalMonthDayNano;
    /// JSON text.
    Json: StringArray, &'a str, String;
}

/// Sets the decimal scale or the time zone of the array's type.
fn finish(kind: SqlType, array: impl arrow::array::Array + 'static) -> ArrayRef {
    let data_type = kind.data_type();
    if *array.data_type() == data_type {
        return Arc::new(array);
    }
    // The layout is the same and only the logical type changes: this copies nothing.
    let data = array.to_data().into_builder().data_type(data_type);
    match data.build() {
        Ok(data) => arrow::array::make_array(data),
        Err(_) => Arc::new(array),
    }
}

/// A STRING parameter with parsed content: a time zone, a format or a pattern. Each distinct text
/// is parsed once per batch.
pub(crate) struct Parsed<P>(std::marker::PhantomData<P>);

/// The distinct parsed values of a [`Parsed`] parameter.
#[derive(Debug)]
pub(crate) struct ParsedColumn<P> {
    values: Vec<Result<P, FunctionError>>,
    /// The index in `values` for each row.
    indices: Vec<usize>,
}

impl<P> Argument for Parsed<P>
where
    P: FromStr<Err = FunctionError> + std::fmt::Debug + Send + Sync + 'static,
{
    type Column = ParsedColumn<P>;
    type Item<'a> = &'a P;
    const SQL_TYPE: SqlType = SqlType::Text;

    fn column(array: &ArrayRef) -> Option<ParsedColumn<P>> {
        let texts = array.as_string_opt::<i32>()?;
        let mut values = Vec::new();
        let mut known = HashMap::new();
        let indices = (0..texts.len())
            .map(|row| {
                // The content of a NULL slot is undefined. Its parsed value is not used.
                let text = if texts.is_null(row) { "" } else { texts.value(row) };
                *known.entry(text).or_insert_with(|| {
                    values.push(text.parse());
                    values.len() - 1
                })
            })
            .collect();
        drop(known);
        Some(ParsedColumn { values, indices })
    }

    fn item(column: &ParsedColumn<P>, row: usize) -> Result<&P, FunctionError> {
        column.values[column.indices[row]].as_ref().map_err(Clone::clone)
    }
}
