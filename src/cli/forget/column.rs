//! A value as a column holds it: `007` is 7 where the column is an INTEGER.

use serde_json::Value;

use crate::cli::statement;
use crate::decode::coerce;
use crate::decode::schema::{Column, ColumnType};

/// The text of a column's value, as a query's parameter has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell(String);

impl Cell {
    /// What the decoder makes of a URL's text; `None` if the column cannot hold it.
    pub(crate) fn of(text: &str, column: &Column) -> Option<Self> {
        let mut json = Vec::new();
        coerce::write_text(text, column, &mut json).ok()?;
        Some(Self(match serde_json::from_slice(&json).ok()? {
            Value::String(text) => text,
            other => other.to_string(),
        }))
    }

    /// As a parameter, unless nothing equals it.
    pub(crate) fn parameter(&self, name: &str, column: &Column) -> Option<Value> {
        let kind = comparable(column.kind).filter(|kind| *kind != "FLOAT64" || self.0 != "NaN")?;
        Some(statement::scalar(name, kind, &self.0))
    }
}

/// The type's name in GoogleSQL, if its values can be compared.
fn comparable(kind: ColumnType) -> Option<&'static str> {
    Some(match kind {
        ColumnType::String => "STRING",
        ColumnType::Integer => "INT64",
        ColumnType::Float => "FLOAT64",
        // A NUMERIC becomes one where it is compared with one.
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

/// Whether a query can look for values of that type.
pub(crate) fn is_comparable(column: &Column) -> bool {
    comparable(column.kind).is_some()
}
