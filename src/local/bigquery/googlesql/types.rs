//! What GoogleSQL calls the types that Arrow carries.

use std::collections::HashMap;

use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};

/// The key of a field's metadata that tells apart GoogleSQL types which Arrow stores alike.
pub(super) const METADATA: &str = "googlesql";

/// `INT64`, `ARRAY<STRING>`, `STRUCT<a INT64>`; what GoogleSQL does not have, by Arrow's name.
fn name(kind: &DataType, metadata: &HashMap<String, String>) -> String {
    match kind {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => metadata.get(METADATA).map_or("STRING", String::as_str).to_owned(),
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => "BYTES".to_owned(),
        // An untyped NULL is an INT64 when nothing else is asked of it.
        DataType::Int64 | DataType::Null => "INT64".to_owned(),
        DataType::Float64 => "FLOAT64".to_owned(),
        DataType::Decimal128(38, 9) => "NUMERIC".to_owned(),
        DataType::Decimal256(76, 38) => "BIGNUMERIC".to_owned(),
        DataType::Boolean => "BOOL".to_owned(),
        DataType::Date32 => "DATE".to_owned(),
        DataType::Time64(TimeUnit::Microsecond) => "TIME".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, None) => "DATETIME".to_owned(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => "TIMESTAMP".to_owned(),
        DataType::Interval(_) => "INTERVAL".to_owned(),
        DataType::List(item) => format!("ARRAY<{}>", of(item)),
        DataType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{} {}", field.name(), of(field)).trim_start().to_owned()).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// The type of a field.
pub(super) fn of(field: &Field) -> String {
    name(field.data_type(), field.metadata())
}
