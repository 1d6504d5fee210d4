//! The columns of a stored table as the query engine's types.

use googlesql::datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use googlesql::types;

use super::column_type::Scalar;
use super::schema::{self, Kind, Mode, Schema};

/// The columns in their order.
pub(crate) fn fields(schema: &Schema) -> Vec<Field> {
    schema.fields.iter().map(field).collect()
}

/// A column of a table.
pub(crate) fn field(column: &schema::Field) -> Field {
    let one = match &column.kind {
        Kind::Record(members) => Field::new("", DataType::Struct(members.iter().map(field).collect()), true),
        Kind::Scalar(scalar) => of_scalar(*scalar).as_ref().clone(),
    };
    let data = match column.mode {
        Mode::Repeated => types::array_of(&one).as_ref().clone(),
        Mode::Nullable | Mode::Required => one,
    };
    data.with_name(&column.name)
}

fn of_scalar(scalar: Scalar) -> FieldRef {
    types::plain(match scalar {
        Scalar::Json => return types::json(),
        Scalar::Geography => return types::stored_only("GEOGRAPHY"),
        Scalar::Interval => return types::stored_only("INTERVAL"),
        Scalar::String => DataType::Utf8,
        Scalar::Bytes => DataType::Binary,
        Scalar::Integer => DataType::Int64,
        Scalar::Float => DataType::Float64,
        Scalar::Numeric => types::NUMERIC,
        Scalar::BigNumeric => types::BIGNUMERIC,
        Scalar::Boolean => DataType::Boolean,
        Scalar::Timestamp => types::timestamp(),
        Scalar::Date => DataType::Date32,
        Scalar::Time => types::TIME,
        Scalar::DateTime => types::DATETIME,
    })
}
