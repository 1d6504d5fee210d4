//! A value in a column's type: `007` is 7 where the column is an INTEGER.

use serde_json::Value;

use crate::decode::coerce;
use crate::decode::schema::{Column, ColumnType};
use crate::google::statement;

/// A column's value as the text of a query parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnValue(String);

impl ColumnValue {
    /// The value that the decoder stores for a URL's text; `None` if the column cannot hold it.
    pub(crate) fn new(text: &str, column: &Column) -> Option<Self> {
        let mut json = Vec::new();
        coerce::write_text(text, column, &mut json).ok()?;
        Some(Self(match serde_json::from_slice(&json).ok()? {
            Value::String(text) => text,
            other => other.to_string(),
        }))
    }

    /// A query parameter; `None` for a type without `=`, and for NaN, which equals nothing.
    pub(crate) fn parameter(&self, name: &str, column: &Column) -> Option<Value> {
        let kind = comparable(column.kind).filter(|kind| *kind != "FLOAT64" || self.0 != "NaN")?;
        Some(statement::scalar(name, kind, &self.0))
    }
}

/// The type's name in GoogleSQL; `None` if it has no `=`.
fn comparable(kind: ColumnType) -> Option<&'static str> {
    Some(match kind {
        ColumnType::String => "STRING",
        ColumnType::Integer => "INT64",
        ColumnType::Float => "FLOAT64",
        // BigQuery converts a NUMERIC that is compared with it.
        ColumnType::Decimal(_) => "BIGNUMERIC",
        ColumnType::Boolean => "BOOL",
        ColumnType::Bytes => "BYTES",
        ColumnType::Timestamp => "TIMESTAMP",
        ColumnType::Date => "DATE",
        ColumnType::Time => "TIME",
        ColumnType::Datetime => "DATETIME",
        ColumnType::Json | ColumnType::Other => return None,
    })
}

/// Whether a query can compare the column with a value.
pub(crate) fn is_comparable(column: &Column) -> bool {
    comparable(column.kind).is_some()
}
