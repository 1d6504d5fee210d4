//! The GoogleSQL types of parameters and results.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};

use crate::types::METADATA;

/// A GoogleSQL type of a parameter or result. Functions over ARRAY or STRUCT of any type use
/// [`generic`](super::generic).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SqlType {
    Bool,
    Int64,
    Float64,
    Numeric,
    BigNumeric,
    Text,
    Bytes,
    Date,
    Time,
    Datetime,
    Timestamp,
    Interval,
    Json,
    Array(&'static SqlType),
}

impl SqlType {
    /// Returns the type of a field. Returns none for an untyped NULL and for types without a variant.
    pub(crate) fn of(field: &Field) -> Option<SqlType> {
        Some(match field.data_type() {
            DataType::Boolean => SqlType::Bool,
            DataType::Int64 => SqlType::Int64,
            DataType::Float64 => SqlType::Float64,
            DataType::Decimal128(38, 9) => SqlType::Numeric,
            DataType::Decimal256(76, 38) => SqlType::BigNumeric,
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => match field.metadata().get(METADATA) {
                Some(name) if name == "JSON" => SqlType::Json,
                _ => SqlType::Text,
            },
            DataType::Binary | DataType::BinaryView | DataType::LargeBinary => SqlType::Bytes,
            DataType::Date32 => SqlType::Date,
            DataType::Time64(TimeUnit::Microsecond) => SqlType::Time,
            DataType::Timestamp(TimeUnit::Microsecond, None) => SqlType::Datetime,
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => SqlType::Timestamp,
            DataType::Interval(IntervalUnit::MonthDayNano) => SqlType::Interval,
            DataType::List(item) => SqlType::Array(SqlType::of(item)?.element_type()?),
            _ => return None,
        })
    }

    /// Returns a static reference to the element type. ARRAY of ARRAY does not exist in GoogleSQL.
    fn element_type(self) -> Option<&'static SqlType> {
        Some(match self {
            SqlType::Bool => &SqlType::Bool,
            SqlType::Int64 => &SqlType::Int64,
            SqlType::Float64 => &SqlType::Float64,
            SqlType::Numeric => &SqlType::Numeric,
            SqlType::BigNumeric => &SqlType::BigNumeric,
            SqlType::Text => &SqlType::Text,
            SqlType::Bytes => &SqlType::Bytes,
            SqlType::Date => &SqlType::Date,
            SqlType::Time => &SqlType::Time,
            SqlType::Datetime => &SqlType::Datetime,
            SqlType::Timestamp => &SqlType::Timestamp,
            SqlType::Interval => &SqlType::Interval,
            SqlType::Json => &SqlType::Json,
            SqlType::Array(_) => return None,
        })
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            SqlType::Bool => DataType::Boolean,
            SqlType::Int64 => DataType::Int64,
            SqlType::Float64 => DataType::Float64,
            SqlType::Numeric => DataType::Decimal128(38, 9),
            SqlType::BigNumeric => DataType::Decimal256(76, 38),
            SqlType::Text | SqlType::Json => DataType::Utf8,
            SqlType::Bytes => DataType::Binary,
            SqlType::Date => DataType::Date32,
            SqlType::Time => DataType::Time64(TimeUnit::Microsecond),
            SqlType::Datetime => DataType::Timestamp(TimeUnit::Microsecond, None),
            SqlType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            SqlType::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            SqlType::Array(item) => DataType::List(item.field("item")),
        }
    }

    /// Creates a nullable field of this type.
    pub(crate) fn field(self, name: &str) -> FieldRef {
        let field = Field::new(name, self.data_type(), true);
        Arc::new(match self {
            SqlType::Json => field.with_metadata(HashMap::from([(METADATA.to_owned(), "JSON".to_owned())])),
            _ => field,
        })
    }
}
