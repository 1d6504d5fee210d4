//! Maps GoogleSQL types to Arrow fields and to their names.
//!
//! A type is a [`FieldRef`] and not a `DataType`, because Arrow has no JSON type. JSON is text, and the field's metadata
//! marks it as JSON. ARRAY is a list of nullable `item`s, STRUCT is a struct.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types>.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, TimeUnit};
use serde_json::{Value, json};

/// The metadata key that marks text as JSON or as a stored-only type.
pub const METADATA: &str = "googlesql";
const JSON: &str = "JSON";

pub const NUMERIC: DataType = DataType::Decimal128(38, 9);
pub const BIGNUMERIC: DataType = DataType::Decimal256(76, 38);
pub const TIME: DataType = DataType::Time64(TimeUnit::Microsecond);
pub const DATETIME: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);
pub const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("+00:00")))
}

/// A nullable field of the type, without a name.
pub fn plain(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("", data_type, true))
}

pub fn json() -> FieldRef {
    let metadata = HashMap::from([(METADATA.to_owned(), JSON.to_owned())]);
    Arc::new(Field::new("", DataType::Utf8, true).with_metadata(metadata))
}

pub fn array_of(element: &Field) -> FieldRef {
    plain(DataType::List(Arc::new(element.clone().with_name("item").with_nullable(true))))
}

pub fn struct_of(members: impl IntoIterator<Item = (String, FieldRef)>) -> FieldRef {
    let members: Vec<FieldRef> =
        members.into_iter().map(|(name, field)| Arc::new(field.as_ref().clone().with_name(name).with_nullable(true))).collect();
    plain(DataType::Struct(Fields::from(members)))
}

/// A type that columns can have but queries cannot use. The values are stored as the text that was sent.
pub fn stored_only(name: &str) -> FieldRef {
    let metadata = HashMap::from([(METADATA.to_owned(), name.to_owned())]);
    Arc::new(Field::new("", DataType::Utf8, true).with_metadata(metadata))
}

/// The name of the [`stored_only`] type, if the field has such a type or contains one.
pub fn unreadable(field: &Field) -> Option<&str> {
    match field.data_type() {
        DataType::List(element) => unreadable(element),
        DataType::Struct(members) => members.iter().find_map(|member| unreadable(member)),
        _ => field.metadata().get(METADATA).map(String::as_str).filter(|name| *name != JSON),
    }
}

pub fn is_json(field: &Field) -> bool {
    field.metadata().get(METADATA).is_some_and(|name| name == JSON)
}

/// The element type of an ARRAY.
pub fn element(field: &Field) -> Option<&FieldRef> {
    match field.data_type() {
        DataType::List(element) => Some(element),
        _ => None,
    }
}

/// Finds the member of a STRUCT. The name is case-insensitive.
pub fn member<'a>(field: &'a Field, name: &str) -> Option<&'a FieldRef> {
    match field.data_type() {
        DataType::Struct(members) => members.iter().find(|member| member.name().eq_ignore_ascii_case(name)),
        _ => None,
    }
}

/// Whether two types are the same. It ignores the names of the columns.
pub fn same(a: &Field, b: &Field) -> bool {
    is_json(a) == is_json(b)
        && match (a.data_type(), b.data_type()) {
            (DataType::List(a), DataType::List(b)) => same(a, b),
            (DataType::Struct(a), DataType::Struct(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name() == b.name() && same(a, b))
            }
            (a, b) => a == b,
        }
}

/// The name of a type in messages: `INT64`, `ARRAY<STRUCT<key STRING, value STRING>>`.
pub fn of(field: &Field) -> String {
    match field.data_type() {
        DataType::List(element) => format!("ARRAY<{}>", of(element)),
        DataType::Struct(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| match member.name().as_str() {
                    anonymous if is_anonymous(anonymous) => of(member),
                    written => format!("{written} {}", of(member)),
                })
                .collect();
            format!("STRUCT<{}>", members.join(", "))
        }
        _ if is_json(field) => JSON.to_owned(),
        other => unreadable(field).unwrap_or_else(|| scalar_name(other)).to_owned(),
    }
}

fn scalar_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "STRING",
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => "BYTES",
        DataType::Float64 | DataType::Float32 | DataType::Float16 => "FLOAT64",
        DataType::Decimal128(..) => "NUMERIC",
        DataType::Decimal256(..) => "BIGNUMERIC",
        DataType::Boolean => "BOOL",
        DataType::Date32 | DataType::Date64 => "DATE",
        DataType::Time64(_) | DataType::Time32(_) => "TIME",
        DataType::Timestamp(_, None) => "DATETIME",
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP",
        DataType::Interval(_) => "INTERVAL",
        _ => "INT64",
    }
}

/// The Arrow name of a STRUCT member without a name.
pub fn anonymous(index: usize) -> String {
    format!("_field_{}", index + 1)
}

fn is_anonymous(name: &str) -> bool {
    name.strip_prefix("_field_").is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

/// Encodes a column for the schema of a result, which uses the legacy names of types.
pub fn column_json(name: &str, field: &Field) -> Value {
    let (mode, one) = match element(field) {
        Some(element) => ("REPEATED", element.as_ref()),
        None => ("NULLABLE", field),
    };
    if let DataType::Struct(members) = one.data_type() {
        let fields: Vec<Value> = members.iter().map(|member| column_json(member.name(), member)).collect();
        return json!({"name": name, "type": "RECORD", "mode": mode, "fields": fields});
    }
    let legacy = match self::of(one).as_str() {
        "INT64" => "INTEGER".to_owned(),
        "FLOAT64" => "FLOAT".to_owned(),
        "BOOL" => "BOOLEAN".to_owned(),
        other => other.to_owned(),
    };
    json!({"name": name, "type": legacy, "mode": mode})
}
