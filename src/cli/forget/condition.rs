//! How a query tells rows of the user from those of others, by the types that a table's columns have.

use serde_json::Value;

use super::column::{Cell, is_comparable};
use super::subject::Subject;
use crate::decode::Schema;
use crate::decode::schema::{Column, Mode};

/// Conditions on a table's rows.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// A row is of the user.
    pub(crate) theirs: String,
    /// A row is of somebody else: a column that is NULL speaks for nobody.
    pub(crate) others: String,
    pub(crate) parameters: Vec<Value>,
}

/// The column's type has no `=`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is of type {kind}, which no query compares with a value: say by another attribute whom to forget")]
pub(crate) struct Incomparable {
    pub(crate) column: String,
    kind: String,
}

impl Condition {
    pub(crate) fn of(subject: &Subject, schema: &Schema) -> Result<Self, Incomparable> {
        let (mut theirs, mut others, mut parameters) = (Vec::new(), Vec::new(), Vec::new());
        for attribute in subject.attributes() {
            // A table from before the column was there says of no row whose it is.
            let Some(column) = schema.column(&attribute.name) else {
                theirs.push("FALSE".to_owned());
                continue;
            };
            if !is_comparable(column) {
                return Err(Incomparable { column: column.name.clone(), kind: type_of(column, schema) });
            }
            let mut equal = Vec::new();
            for cell in subject.spellings(attribute).iter().filter_map(|text| Cell::of(text, column)) {
                // Numbers, because a column may have letters that a parameter must not have.
                let name = format!("v{}", parameters.len());
                equal.push(match column.mode {
                    Mode::Repeated => format!("@{name} IN UNNEST(`{}`)", column.name),
                    Mode::Nullable | Mode::Required => format!("`{}` = @{name}", column.name),
                });
                let nothing_equals = || Incomparable { column: column.name.clone(), kind: "FLOAT and the value NaN".to_owned() };
                parameters.push(cell.parameter(&name, column).ok_or_else(nothing_equals)?);
            }
            let is_filled = match column.mode {
                Mode::Repeated => format!("ARRAY_LENGTH(`{}`) > 0", column.name),
                Mode::Nullable | Mode::Required => format!("`{}` IS NOT NULL", column.name),
            };
            if equal.is_empty() {
                theirs.push("FALSE".to_owned());
                others.push(is_filled);
            } else {
                let equal = equal.join(" OR ");
                others.push(format!("{is_filled} AND NOT ({equal})"));
                theirs.push(format!("({equal})"));
            }
        }
        let others = if others.is_empty() { "FALSE".to_owned() } else { others.join(" OR ") };
        Ok(Self { theirs: theirs.join(" AND "), others, parameters })
    }
}

/// As the schema has it.
fn type_of(column: &Column, schema: &Schema) -> String {
    let field = schema.fields().as_array().into_iter().flatten().find(|field| field["name"] == column.name.as_str());
    field.and_then(|field| field["type"].as_str()).unwrap_or("unknown").to_owned()
}
