//! SQL conditions that separate the user's rows from all others, by the types of a table's columns.

use serde_json::Value;

use super::column::{ColumnValue, is_comparable};
use super::subject::Subject;
use crate::decode::Schema;
use crate::decode::schema::{Column, Mode};

/// Two conditions on a table's rows.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// The row is the user's.
    pub(crate) matches: String,
    /// The row is another user's. A row whose columns are NULL matches no condition.
    pub(crate) others: String,
    pub(crate) parameters: Vec<Value>,
}

/// The column's type has no `=`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot compare column {column} of type {kind} with a value: name the user by another attribute")]
pub(crate) struct Incomparable {
    column: String,
    kind: String,
}

impl Condition {
    pub(crate) fn new(subject: &Subject, schema: &Schema) -> Result<Self, Incomparable> {
        let (mut matches, mut others, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
        for attribute in subject.attributes() {
            // In a table that is older than the column, no row names a user.
            let Some(column) = schema.column(&attribute.name) else {
                matches.push("FALSE".to_owned());
                continue;
            };
            if !is_comparable(column) {
                return Err(Incomparable { column: column.name.clone(), kind: type_name(column, schema) });
            }
            let mut equal = Vec::new();
            for cell in subject.stored_forms(attribute).iter().filter_map(|text| ColumnValue::new(text, column)) {
                // Numbered: a column's name may have letters that a parameter's must not.
                let name = format!("v{}", parameters.len());
                equal.push(match column.mode {
                    Mode::Repeated => format!("@{name} IN UNNEST(`{}`)", column.name),
                    Mode::Nullable | Mode::Required | Mode::Other => format!("`{}` = @{name}", column.name),
                });
                let incomparable = || Incomparable { column: column.name.clone(), kind: "FLOAT (value NaN)".to_owned() };
                parameters.push(cell.parameter(&name, column).ok_or_else(incomparable)?);
            }
            let is_filled = match column.mode {
                Mode::Repeated => format!("ARRAY_LENGTH(`{}`) > 0", column.name),
                Mode::Nullable | Mode::Required | Mode::Other => format!("`{}` IS NOT NULL", column.name),
            };
            if equal.is_empty() {
                matches.push("FALSE".to_owned());
                others.push(is_filled);
            } else {
                let equal = equal.join(" OR ");
                others.push(format!("{is_filled} AND NOT ({equal})"));
                matches.push(format!("({equal})"));
            }
        }
        let others = if others.is_empty() { "FALSE".to_owned() } else { others.join(" OR ") };
        Ok(Self { matches: matches.join(" AND "), others, parameters })
    }
}

/// The type's name in the schema.
fn type_name(column: &Column, schema: &Schema) -> String {
    let field = schema.fields().as_array().into_iter().flatten().find(|field| field["name"] == column.name.as_str());
    field.and_then(|field| field["type"].as_str()).unwrap_or("unknown").to_owned()
}
