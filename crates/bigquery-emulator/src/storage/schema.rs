//! Parses a table schema from the JSON that clients send.
//!
//! The store keeps the JSON unchanged and returns it in responses. The parsed schema has the members that are needed to
//! check rows. It accepts the legacy names of types, `INTEGER`, `FLOAT`, `BOOLEAN` and `RECORD`, and GoogleSQL's `INT64`,
//! `FLOAT64`, `BOOL` and `STRUCT`.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema>.

use std::collections::HashSet;
use std::fmt;

use serde_json::Value;

use super::catalog::Table;
use super::column_type::{ScalarType, SizeLimit};
use super::default_value::DefaultValue;
use crate::error::ApiError;

/// The columns, in order.
pub(crate) struct Schema {
    pub fields: Vec<SchemaField>,
}

/// A column, or a member of a RECORD.
#[derive(PartialEq)]
pub(crate) struct SchemaField {
    pub name: String,
    pub kind: FieldType,
    pub mode: Mode,
    pub size: Option<SizeLimit>,
    /// The value for rows without the column.
    pub default: Option<DefaultValue>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Nullable,
    Required,
    Repeated,
}

#[derive(PartialEq)]
pub(crate) enum FieldType {
    Scalar(ScalarType),
    Record(Vec<SchemaField>),
}

/// Maximum nesting depth of RECORDs in BigQuery.
const MAX_NESTING: usize = 15;

impl Schema {
    /// Parses `{"fields": [...]}`.
    ///
    /// # Errors
    ///
    /// [`ApiError::Invalid`] if BigQuery rejects the schema, and [`ApiError::NotImplemented`] for RANGE columns.
    pub(crate) fn parse(schema: &Value) -> Result<Schema, ApiError> {
        if !schema.is_object() && !schema.is_null() {
            return Err(ApiError::Invalid("Schema must be an object.".to_owned()));
        }
        let fields = match schema.get("fields") {
            None | Some(Value::Null) => Vec::new(),
            Some(fields) => parse_fields(fields, 1)?,
        };
        Ok(Schema { fields })
    }

    /// Parses the schema of a stored table. A table without a schema has no columns.
    pub(crate) fn from_table(table: &Table) -> Result<Schema, ApiError> {
        Schema::parse(&table.schema()?.unwrap_or(Value::Null))
    }

    /// Checks an update of the schema to `new`. It may add NULLABLE and REPEATED columns and relax REQUIRED columns. It
    /// must not drop or rename columns or change their types, because the stored rows have the old names.
    pub(crate) fn check_change(&self, new: &Schema, table: &str) -> Result<(), ApiError> {
        check_change(&self.fields, &new.fields, "")
            .map_err(|problem| ApiError::Invalid(format!("Provided Schema does not match Table {table}. {problem}")))
    }
}

impl SchemaField {
    /// Whether this is the column's name. Column names are case-insensitive.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || (!name.is_ascii() && self.name.to_lowercase() == name.to_lowercase())
    }
}

fn parse_fields(fields: &Value, depth: usize) -> Result<Vec<SchemaField>, ApiError> {
    if depth > MAX_NESTING {
        return Err(ApiError::Invalid(format!("Schema has RECORDs nested deeper than {MAX_NESTING} levels.")));
    }
    let fields = fields.as_array().ok_or_else(|| ApiError::Invalid("Schema fields must be an array.".to_owned()))?;
    let fields = fields.iter().map(|field| parse_field(field, depth)).collect::<Result<Vec<_>, _>>()?;

    let mut seen = HashSet::new();
    for field in &fields {
        if !seen.insert(field.name.to_lowercase()) {
            return Err(ApiError::Invalid(format!("Field {} already exists in schema", field.name)));
        }
    }
    Ok(fields)
}

fn parse_field(field: &Value, depth: usize) -> Result<SchemaField, ApiError> {
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
            Some(Value::Array(members)) if !members.is_empty() => {
                FieldType::Record(parse_fields(&Value::Array(members.clone()), depth + 1)?)
            }
            _ => {
                return Err(ApiError::Invalid(format!("Field {name} is type RECORD but has no schema")));
            }
        },
        other => FieldType::Scalar(parse_type(other)?),
    };
    let default = match (text("defaultValueExpression")?, &kind) {
        ("" | "NULL", _) => None,
        (expression, FieldType::Scalar(scalar)) if mode != Mode::Repeated => Some(parse_default(name, expression, *scalar)?),
        (expression, _) => return Err(unsupported_default(name, expression)),
    };
    Ok(SchemaField { name: name.to_owned(), kind, mode, size: parse_size(field)?, default })
}

fn parse_type(name: &str) -> Result<ScalarType, ApiError> {
    Ok(match name {
        "STRING" => ScalarType::String,
        "BYTES" => ScalarType::Bytes,
        "INTEGER" | "INT64" | "INT" | "SMALLINT" | "BIGINT" | "TINYINT" | "BYTEINT" => ScalarType::Integer,
        "FLOAT" | "FLOAT64" => ScalarType::Float,
        "NUMERIC" | "DECIMAL" => ScalarType::Numeric,
        "BIGNUMERIC" | "BIGDECIMAL" => ScalarType::BigNumeric,
        "BOOLEAN" | "BOOL" => ScalarType::Boolean,
        "TIMESTAMP" => ScalarType::Timestamp,
        "DATE" => ScalarType::Date,
        "TIME" => ScalarType::Time,
        "DATETIME" => ScalarType::DateTime,
        "GEOGRAPHY" => ScalarType::Geography,
        "INTERVAL" => ScalarType::Interval,
        "JSON" => ScalarType::Json,
        "RANGE" => {
            return Err(ApiError::NotImplemented("The BigQuery emulator does not support RANGE columns.".to_owned()));
        }
        other => {
            return Err(ApiError::Invalid(format!("Invalid value for type: {other} is not a valid value")));
        }
    })
}

fn parse_default(name: &str, expression: &str, kind: ScalarType) -> Result<DefaultValue, ApiError> {
    DefaultValue::parse(expression, kind).ok_or_else(|| unsupported_default(name, expression))
}

fn unsupported_default(name: &str, expression: &str) -> ApiError {
    ApiError::NotImplemented(format!("The BigQuery emulator does not support the default value of {name}: {expression}"))
}

fn parse_size(field: &Value) -> Result<Option<SizeLimit>, ApiError> {
    let (length, precision) = (parse_count(field, "maxLength")?, parse_count(field, "precision")?);
    let scale = parse_count(field, "scale")?;
    Ok(match (length, precision) {
        (Some(length), _) => Some(SizeLimit::Length(length)),
        (None, Some(precision)) => Some(SizeLimit::Decimal { precision, scale: scale.unwrap_or(0) }),
        (None, None) => None,
    })
}

/// Parses an int64, which JSON clients send as a string.
fn parse_count(field: &Value, member: &str) -> Result<Option<usize>, ApiError> {
    let count = match field.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Number(number)) => number.as_u64().and_then(|count| usize::try_from(count).ok()),
        Some(_) => None,
    };
    count.map(Some).ok_or_else(|| ApiError::Invalid(format!("Invalid value for {member}")))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    const RESERVED: [&str; 9] = [
        "_PARTITION",
        "_TABLE_",
        "_FILE_",
        "_ROW_TIMESTAMP",
        "__ROOT__",
        "_COLIDENTIFIER",
        "_CHANGE_SEQUENCE_NUMBER",
        "_CHANGE_TYPE",
        "_CHANGE_TIMESTAMP",
    ];
    let upper = name.to_ascii_uppercase();
    if RESERVED.iter().any(|prefix| upper.starts_with(prefix)) {
        return Err(ApiError::Invalid(format!(
            "Invalid field name \"{name}\". Field names are not allowed to start with the \
             (case-insensitive) prefixes {}",
            RESERVED.join(", ")
        )));
    }
    // BigQuery allows all other characters: "flexible column names".
    let forbidden = |c: char| c.is_control() || "!\"$()*,./;?@[\\]^`{}~".contains(c);
    if name.is_empty() || name.chars().count() > 300 || name.chars().any(forbidden) {
        return Err(ApiError::Invalid(format!("Invalid field name \"{name}\".")));
    }
    Ok(())
}

fn check_change(old: &[SchemaField], new: &[SchemaField], path: &str) -> Result<(), String> {
    for before in old {
        let name = format!("{path}{}", before.name);
        let Some(after) = new.iter().find(|field| field.name == before.name) else {
            return Err(format!("Field {name} is missing in new schema"));
        };
        if before.mode != after.mode && (before.mode, after.mode) != (Mode::Required, Mode::Nullable) {
            return Err(format!("Field {name} has changed mode from {} to {}", before.mode, after.mode));
        }
        match (&before.kind, &after.kind) {
            (FieldType::Record(before), FieldType::Record(after)) => {
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

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldType::Record(_) => f.write_str("RECORD"),
            FieldType::Scalar(scalar) => f.write_str(scalar.name()),
        }
    }
}
