//! Arrow arrays as the columns of Rust values that functions are written over.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use datafusion::arrow;
use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float64Array, Int64Array,
    IntervalMonthDayNanoArray, ListArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{IntervalMonthDayNano, i256};

use super::function_error::FunctionError;
use super::kind::Kind;
use super::memory_budget::MemorySize;

/// A type of parameter: how its values are read out of a column.
pub(crate) trait Argument: 'static {
    type Column;
    type Item<'a>;
    const KIND: Kind;

    /// None if the array is of another type, which the coercion has ruled out.
    fn column(array: &ArrayRef) -> Option<Self::Column>;
    fn item(column: &Self::Column, row: usize) -> Result<Self::Item<'_>, FunctionError>;
}

/// A type of result: how its column is made.
pub(crate) trait Returned: 'static {
    type Owned: MemorySize;
    const KIND: Kind;

    fn collect(values: impl Iterator<Item = Result<Option<Self::Owned>, FunctionError>>) -> Result<ArrayRef, FunctionError>;
}

macro_rules! values {
    ($a:lifetime: $($(#[$doc:meta])* $marker:ident: $array:ty, $item:ty, $owned:ty;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $marker;

        impl Argument for $marker {
            type Column = $array;
            type Item<$a> = $item;
            const KIND: Kind = Kind::$marker;

            fn column(array: &ArrayRef) -> Option<$array> {
                array.as_any().downcast_ref().cloned()
            }

            fn item<$a>(column: &$a $array, row: usize) -> Result<$item, FunctionError> {
                Ok(column.value(row))
            }
        }

        impl Returned for $marker {
            type Owned = $owned;
            const KIND: Kind = Kind::$marker;

            fn collect(values: impl Iterator<Item = Result<Option<$owned>, FunctionError>>) -> Result<ArrayRef, FunctionError> {
                let array = values.collect::<Result<$array, FunctionError>>()?;
                Ok(finish(Kind::$marker, array))
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

/// Gives the array the parameters of its type (scale, zone) that collecting does not know.
fn finish(kind: Kind, array: impl arrow::array::Array + 'static) -> ArrayRef {
    let data_type = kind.data_type();
    if *array.data_type() == data_type {
        return Arc::new(array);
    }
    // Same layout, another logical type: rebuilding cannot fail and copies nothing.
    let data = array.to_data().into_builder().data_type(data_type);
    match data.build() {
        Ok(data) => arrow::array::make_array(data),
        Err(_) => Arc::new(array),
    }
}

/// An ARRAY as a result.
pub(crate) struct Array<T>(std::marker::PhantomData<T>);

impl<T: Returned> Returned for Array<T> {
    type Owned = Vec<T::Owned>;
    const KIND: Kind = Kind::Array(&T::KIND);

    fn collect(values: impl Iterator<Item = Result<Option<Vec<T::Owned>>, FunctionError>>) -> Result<ArrayRef, FunctionError> {
        let mut items = Vec::new();
        let mut lengths = Vec::new();
        let mut valid = Vec::new();
        for value in values {
            let value = value?;
            valid.push(value.is_some());
            let value = value.unwrap_or_default();
            lengths.push(value.len());
            items.extend(value);
        }
        let items = T::collect(items.into_iter().map(|item| Ok(Some(item))))?;
        let offsets = OffsetBuffer::from_lengths(lengths);
        ListArray::try_new(T::KIND.field("item"), offsets, items, Some(NullBuffer::from(valid)))
            .map(|list| Arc::new(list) as ArrayRef)
            .map_err(|error| FunctionError::new(error.to_string()))
    }
}

/// A STRING parameter that stands for something else: a time zone, a format, a pattern. Each
/// different text is parsed once per batch.
pub(crate) struct Parsed<P>(std::marker::PhantomData<P>);

/// What the texts of a [`Parsed`] parameter mean.
#[derive(Debug)]
pub(crate) struct ParsedColumn<P> {
    meanings: Vec<Result<P, FunctionError>>,
    /// By row, the index of its meaning.
    which: Vec<usize>,
}

impl<P> Argument for Parsed<P>
where
    P: FromStr<Err = FunctionError> + std::fmt::Debug + Send + Sync + 'static,
{
    type Column = ParsedColumn<P>;
    type Item<'a> = &'a P;
    const KIND: Kind = Kind::Text;

    fn column(array: &ArrayRef) -> Option<ParsedColumn<P>> {
        let texts = array.as_string_opt::<i32>()?;
        let mut meanings = Vec::new();
        let mut known = HashMap::new();
        let which = (0..texts.len())
            .map(|row| {
                // What a NULL slot holds is not looked at.
                let text = if texts.is_null(row) { "" } else { texts.value(row) };
                *known.entry(text).or_insert_with(|| {
                    meanings.push(text.parse());
                    meanings.len() - 1
                })
            })
            .collect();
        drop(known);
        Some(ParsedColumn { meanings, which })
    }

    fn item(column: &ParsedColumn<P>, row: usize) -> Result<&P, FunctionError> {
        column.meanings[column.which[row]].as_ref().map_err(Clone::clone)
    }
}
