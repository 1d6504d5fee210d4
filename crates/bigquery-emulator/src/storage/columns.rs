//! Converts the columns of a stored table to the query engine's Arrow fields.

use googlesql::datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use googlesql::types;

use super::column_type::ScalarType;
use super::schema::{self, FieldType, Mode, Schema};

/// Converts all columns, in order.
pub(crate) fn to_arrow_fields(schema: &Schema) -> Vec<Field> {
    schema.fields.iter().map(to_arrow_field).collect()
}

/// Converts a column.
pub(crate) fn to_arrow_field(column: &schema::SchemaField) -> Field {
    let one = match &column.kind {
        FieldType::Record(members) => Field::new("", DataType::Struct(members.iter().map(to_arrow_field).collect()), true),
        FieldType::Scalar(scalar) => scalar_field(*scalar).as_ref().clone(),
    };
    let data = match column.mode {
        Mode::Repeated => types::array_of(&one).as_ref().clone(),
        Mode::Nullable | Mode::Required => one,
    };
    data.with_name(&column.name)
}

fn scalar_field(scalar: ScalarType) -> FieldRef {
    types::plain(match scalar {
        ScalarType::Json => return types::json(),
        ScalarType::Geography => return types::stored_only("GEOGRAPHY"),
        ScalarType::Interval => return types::stored_only("INTERVAL"),
        ScalarType::String => DataType::Utf8,
        ScalarType::Bytes => DataType::Binary,
        ScalarType::Integer => DataType::Int64,
        ScalarType::Float => DataType::Float64,
        ScalarType::Numeric => types::NUMERIC,
        ScalarType::BigNumeric => types::BIGNUMERIC,
        ScalarType::Boolean => DataType::Boolean,
        ScalarType::Timestamp => types::timestamp(),
        ScalarType::Date => DataType::Date32,
        ScalarType::Time => types::TIME,
        ScalarType::DateTime => types::DATETIME,
    })
}
