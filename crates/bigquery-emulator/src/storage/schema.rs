//! A table schema, read from the JSON that clients send.
//!
//! The JSON itself is stored and shown as it was sent, unknown members included; this is the
//! part of it that decides which rows fit. Both spellings of a type are read: the legacy
//! `INTEGER`, `FLOAT`, `BOOLEAN`, `RECORD` and GoogleSQL's `INT64`, `FLOAT64`, `BOOL`, `STRUCT`.

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

use super::catalog::Table;
use super::column_type::{Scalar, Size};
use super::default_value::DefaultValue;
use crate::error::ApiError;

/// The columns in their order.
pub(crate) struct Schema {
    pub fields: Vec<Field>,
}

/// A column, or a member of a RECORD.
#[derive(PartialEq)]
pub(crate) struct Field {
    pub name: String,
    pub kind: Kind,
    pub mode: Mode,
    pub size: Option<Size>,
    /// What a row that does not mention the column gets.
    pub default: Option<DefaultValue>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Nullable,
    Required,
    Repeated,
}

#[derive(PartialEq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Record(Vec<Field>),
}

/// BigQuery allows RECORDs within RECORDs to this depth.
const MAX_NESTING: usize = 15;

impl Schema {
    /// Reads `{"fields": [...]}`.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] for what BigQuery refuses, [`ApiError::NotImplemented`] for RANGE.
    pub(crate) fn parse(schema: &Value) -> Result<Schema, ApiError> {
        if !schema.is_object() && !schema.is_null() {
            return Err(ApiError::Invalid("Schema must be an object.".to_owned()));
        }
        let fields = match schema.get("fields") {
            None | Some(Value::Null) => Vec::new(),
            Some(fields) => read_fields(fields, 1)?,
        };
        Ok(Schema { fields })
    }

    /// Reads a schema as it is stored; a table without one has no columns.
    pub(crate) fn of(table: &Table) -> Result<Schema, ApiError> {
        Schema::parse(&table.schema()?.unwrap_or(Value::Null))
    }

    /// Whether a table with this schema may be given `new`: columns may be added (not REQUIRED)
    /// and relaxed, never dropped, retyped or respelled: stored rows hold the names as they were.
    pub(crate) fn check_change(&self, new: &Schema, table: &str) -> Result<(), ApiError> {
        check_change(&self.fields, &new.fields, "")
            .map_err(|problem| ApiError::Invalid(format!("Provided Schema does not match Table {table}. {problem}")))
    }
}

impl Field {
    /// Names of columns match whatever their case.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || (!name.is_ascii() && self.name.to_lowercase() == name.to_lowercase())
    }
}

fn read_fields(fields: &Value, depth: usize) -> Result<Vec<Field>, ApiError> {
    if depth > MAX_NESTING {
        return Err(ApiError::Invalid(format!("Schema has RECORDs nested deeper than {MAX_NESTING} levels.")));
    }
    let fields = fields.as_array().ok_or_else(|| ApiError::Invalid("Schema fields must be an array.".to_owned()))?;
    let fields = fields.iter().map(|field| read_field(field, depth)).collect::<Result<Vec<_>, _>>()?;

    let mut seen = HashSet::new();
    for field in &fields {
        if !seen.insert(field.name.to_lowercase()) {
            return Err(ApiError::Invalid(format!("Field {} already exists in schema", field.name)));
        }
    }
    Ok(fields)
}

fn read_field(field: &Value, depth: usize) -> Result<Field, ApiError> {
    let text = |member| match field.get(member) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(ApiError::Invalid(format!("Schema field {member} must be a string."))),
    };
    let name = text("name")?;
    check_name(name)?;
    let mode = match text("mode")?.to_ascii_uppercase().as_str() {
        "" | "NULLABLE" => Mode::Nullable,
        "REQUIRED" => Mode::Required,
        "REPEATED" => Mode::Repeated,
        other => {
            return Err(ApiError::Invalid(format!("Invalid value for mode: {other} is not a valid value")));
        }
    };
    let kind = match text("type")?.to_ascii_uppercase().as_str() {
        "RECORD" | "STRUCT" => match field.get("fields") {
            Some(Value::Array(members)) if !members.is_empty() => Kind::Record(read_fields(&Value::Array(members.clone()), depth + 1)?),
            _ => {
                return Err(ApiError::Invalid(format!("Field {name} is type RECORD but has no schema")));
            }
        },
        other => Kind::Scalar(read_type(other)?),
    };
    let default = match (text("defaultValueExpression")?, &kind) {
        ("" | "NULL", _) => None,
        (expression, Kind::Scalar(scalar)) if mode != Mode::Repeated => Some(read_default(name, expression, *scalar)?),
        (expression, _) => return Err(no_default(name, expression)),
    };
    Ok(Field { name: name.to_owned(), kind, mode, size: read_size(field)?, default })
}

fn read_type(name: &str) -> Result<Scalar, ApiError> {
    Ok(match name {
        "STRING" => Scalar::String,
        "BYTES" => Scalar::Bytes,
        "INTEGER" | "INT64" | "INT" | "SMALLINT" | "BIGINT" | "TINYINT" | "BYTEINT" => Scalar::Integer,
        "FLOAT" | "FLOAT64" => Scalar::Float,
        "NUMERIC" | "DECIMAL" => Scalar::Numeric,
        "BIGNUMERIC" | "BIGDECIMAL" => Scalar::BigNumeric,
        "BOOLEAN" | "BOOL" => Scalar::Boolean,
        "TIMESTAMP" => Scalar::Timestamp,
        "DATE" => Scalar::Date,
        "TIME" => Scalar::Time,
        "DATETIME" => Scalar::DateTime,
        "GEOGRAPHY" => Scalar::Geography,
        "INTERVAL" => Scalar::Interval,
        "JSON" => Scalar::Json,
        "RANGE" => {
            return Err(ApiError::NotImplemented("The local BigQuery has no RANGE columns.".to_owned()));
        }
        other => {
            return Err(ApiError::Invalid(format!("Invalid value for type: {other} is not a valid value")));
        }
    })
}

fn read_default(name: &str, expression: &str, kind: Scalar) -> Result<DefaultValue, ApiError> {
    DefaultValue::parse(expression, kind).ok_or_else(|| no_default(name, expression))
}

fn no_default(name: &str, expression: &str) -> ApiError {
    ApiError::NotImplemented(format!("The local BigQuery cannot compute the default value of {name}: {expression}"))
}

fn read_size(field: &Value) -> Result<Option<Size>, ApiError> {
    let (length, precision) = (read_count(field, "maxLength")?, read_count(field, "precision")?);
    let scale = read_count(field, "scale")?;
    Ok(match (length, precision) {
        (Some(length), _) => Some(Size::Length(length)),
        (None, Some(precision)) => Some(Size::Decimal { precision, scale: scale.unwrap_or(0) }),
        (None, None) => None,
    })
}

/// An int64, which JSON clients write as a string.
fn read_count(field: &Value, member: &str) -> Result<Option<usize>, ApiError> {
    let count = match field.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Number(number)) => number.as_u64().and_then(|count| usize::try_from(count).ok()),
        Some(_) => None,
    };
    count.map(Some).ok_or_else(|| ApiError::Invalid(format!("Invalid value for {member}")))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    const RESERVED: [&str; 6] = ["_PARTITION", "_TABLE_", "_FILE_", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER"];
    let upper = name.to_ascii_uppercase();
    if RESERVED.iter().any(|prefix| upper.starts_with(prefix)) {
        return Err(ApiError::Invalid(format!(
            "Invalid field name \"{name}\". Field names are not allowed to start with the \
             (case-insensitive) prefixes {}",
            RESERVED.join(", ")
        )));
    }
    // Outside this list lie the "flexible column names", which BigQuery allows since 2024.
    let forbidden = |c: char| c.is_control() || "!\"$()*,./;?@[\\]^`{}~".contains(c);
    if name.is_empty() || name.chars().count() > 300 || name.chars().any(forbidden) {
        return Err(ApiError::Invalid(format!("Invalid field name \"{name}\".")));
    }
    Ok(())
}

fn check_change(old: &[Field], new: &[Field], path: &str) -> Result<(), String> {
    for before in old {
        let name = format!("{path}{}", before.name);
        let Some(after) = new.iter().find(|field| field.name == before.name) else {
            return Err(format!("Field {name} is missing in new schema"));
        };
        if before.mode != after.mode && (before.mode, after.mode) != (Mode::Required, Mode::Nullable) {
            return Err(format!("Field {name} has changed mode from {} to {}", before.mode, after.mode));
        }
        match (&before.kind, &after.kind) {
            (Kind::Record(before), Kind::Record(after)) => {
                check_change(before, after, &format!("{name}."))?;
            }
            (before, after) if before == after => {}
            (before, after) => {
                return Err(format!("Field {name} has changed type from {before} to {after}"));
            }
        }
    }
    for added in new {
        let is_new = !old.iter().any(|field| field.name == added.name);
        if is_new && added.mode == Mode::Required {
            return Err(format!("Cannot add required fields to an existing schema. (field: {path}{})", added.name));
        }
    }
    Ok(())
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Nullable => "NULLABLE",
            Mode::Required => "REQUIRED",
            Mode::Repeated => "REPEATED",
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Record(_) => f.write_str("RECORD"),
            Kind::Scalar(scalar) => f.write_str(scalar.name()),
        }
    }
}
