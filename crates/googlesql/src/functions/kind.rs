//! The GoogleSQL types a function can be declared with.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};

use crate::types::METADATA;

/// A type of a parameter or result. (Functions over ARRAY or STRUCT of any type implement
/// DataFusion's trait themselves.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
    Array(&'static Kind),
}

impl Kind {
    /// Of an argument; none for an untyped NULL and for what no [`Kind`] describes.
    pub(crate) fn of(field: &Field) -> Option<Kind> {
        Some(match field.data_type() {
            DataType::Boolean => Kind::Bool,
            DataType::Int64 => Kind::Int64,
            DataType::Float64 => Kind::Float64,
            DataType::Decimal128(38, 9) => Kind::Numeric,
            DataType::Decimal256(76, 38) => Kind::BigNumeric,
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => match field.metadata().get(METADATA) {
                Some(name) if name == "JSON" => Kind::Json,
                _ => Kind::Text,
            },
            DataType::Binary | DataType::BinaryView | DataType::LargeBinary => Kind::Bytes,
            DataType::Date32 => Kind::Date,
            DataType::Time64(TimeUnit::Microsecond) => Kind::Time,
            DataType::Timestamp(TimeUnit::Microsecond, None) => Kind::Datetime,
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Kind::Timestamp,
            DataType::Interval(IntervalUnit::MonthDayNano) => Kind::Interval,
            DataType::List(item) => Kind::Array(Kind::of(item)?.lasting()?),
            _ => return None,
        })
    }

    /// Itself, where a reference is needed; there is no ARRAY of ARRAY.
    fn lasting(self) -> Option<&'static Kind> {
        Some(match self {
            Kind::Bool => &Kind::Bool,
            Kind::Int64 => &Kind::Int64,
            Kind::Float64 => &Kind::Float64,
            Kind::Numeric => &Kind::Numeric,
            Kind::BigNumeric => &Kind::BigNumeric,
            Kind::Text => &Kind::Text,
            Kind::Bytes => &Kind::Bytes,
            Kind::Date => &Kind::Date,
            Kind::Time => &Kind::Time,
            Kind::Datetime => &Kind::Datetime,
            Kind::Timestamp => &Kind::Timestamp,
            Kind::Interval => &Kind::Interval,
            Kind::Json => &Kind::Json,
            Kind::Array(_) => return None,
        })
    }

    pub(crate) fn data_type(self) -> DataType {
        match self {
            Kind::Bool => DataType::Boolean,
            Kind::Int64 => DataType::Int64,
            Kind::Float64 => DataType::Float64,
            Kind::Numeric => DataType::Decimal128(38, 9),
            Kind::BigNumeric => DataType::Decimal256(76, 38),
            Kind::Text | Kind::Json => DataType::Utf8,
            Kind::Bytes => DataType::Binary,
            Kind::Date => DataType::Date32,
            Kind::Time => DataType::Time64(TimeUnit::Microsecond),
            Kind::Datetime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            Kind::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Kind::Array(item) => DataType::List(item.field("item")),
        }
    }

    /// A nullable field of this type.
    pub(crate) fn field(self, name: &str) -> FieldRef {
        let field = Field::new(name, self.data_type(), true);
        Arc::new(match self {
            Kind::Json => field.with_metadata(HashMap::from([(METADATA.to_owned(), "JSON".to_owned())])),
            _ => field,
        })
    }
}
