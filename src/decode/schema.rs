//! The columns of the template table, from a BigQuery schema file or from `tables.get`.
//!
//! Shape: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema>. The
//! member `fields` of nested columns, policy tags and other members are not read: the service does not fill RECORDs.
//! [`Schema::fields`] contains them, so that a table is created with everything in the file.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::Scalar;
use super::numeric::Decimal;

/// The schema that is compiled into the binary: `schema/pixel.json`.
const SHIPPED: &str = include_str!("../../schema/pixel.json");

/// A table's schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    columns: Vec<Column>,
    fields: Value,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// In the schema's spelling. BigQuery compares names without regard to case.
    pub name: String,
    /// The type of its values.
    pub kind: ColumnType,
    /// NULLABLE, REQUIRED or REPEATED.
    pub mode: Mode,
    /// In characters for STRING, in bytes for BYTES.
    pub max_length: Option<usize>,
    /// Whether BigQuery fills the column if the row does not.
    pub has_default: bool,
}

/// A column's type, under its legacy and standard names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    String,
    Integer,
    Float,
    Decimal(Decimal),
    Boolean,
    Bytes,
    Timestamp,
    Date,
    Time,
    Datetime,
    Json,
    /// RECORD, GEOGRAPHY, INTERVAL, RANGE and unknown types. The service does not fill them.
    Other,
}

/// A column's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Nullable,
    Required,
    Repeated,
}

/// Why a text is not a schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("it is not a JSON array of columns in the format of `bq mk`: {0}")]
    NotASchema(#[from] serde_json::Error),
    #[error("it has no columns")]
    Empty,
    #[error("column {0:?} exists twice (BigQuery compares names without regard to case)")]
    Duplicate(String),
    #[error("column {0:?} has an invalid name (letters, digits and `_`, not beginning with a digit, at most 300)")]
    BadName(String),
    #[error("column {name:?} has mode {mode:?}: use NULLABLE, REQUIRED or REPEATED")]
    BadMode { name: String, mode: String },
}

impl Schema {
    /// Reads a schema file (an array) or the member `schema` of a table (an object with `fields`).
    pub fn parse(json: &str) -> Result<Self, SchemaError> {
        let fields = match serde_json::from_str::<Value>(json)? {
            // Without the member, null: the error below says that it is not an array.
            Value::Object(mut schema) => schema.remove("fields").unwrap_or(Value::Null),
            fields => fields,
        };
        let text = fields.to_string();
        let wire: Vec<WireField<'_>> = serde_json::from_str(&text)?;
        if wire.is_empty() {
            return Err(SchemaError::Empty);
        }
        let mut columns: Vec<Column> = Vec::with_capacity(wire.len());
        for field in wire {
            let column = field.into_column()?;
            if columns.iter().any(|other| other.is_called(&column.name)) {
                return Err(SchemaError::Duplicate(column.name));
            }
            columns.push(column);
        }
        Ok(Self { columns, fields })
    }

    /// The schema in a table resource of BigQuery's API.
    pub fn of_table(resource: &Value) -> Result<Self, SchemaError> {
        Self::parse(&resource["schema"].to_string())
    }

    /// The schema that is compiled into the binary.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("schema/pixel.json is a schema: a test reads it")
    }

    /// The columns in their order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of that name, compared without regard to case.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.is_called(name))
    }

    /// The unchanged array of fields, to create a table from it.
    pub fn fields(&self) -> &Value {
        &self.fields
    }
}

impl Column {
    /// Whether BigQuery rejects a row without a value for the column.
    pub fn must_be_filled(&self) -> bool {
        self.mode == Mode::Required && !self.has_default
    }

    /// Whether that is the column's name.
    pub fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Whether BigQuery accepts the text as a column's name.
pub fn is_column_name(name: &str) -> bool {
    let begins_well = name.starts_with(|c: char| !c.is_ascii_digit());
    begins_well && name.len() <= 300 && name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// `maxLength`, `precision` and `scale` are numbers in schema files and strings in the API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireField<'a> {
    #[serde(borrow)]
    name: Scalar<'a>,
    #[serde(borrow, rename = "type")]
    kind: Scalar<'a>,
    #[serde(borrow, default)]
    mode: Scalar<'a>,
    #[serde(borrow, default)]
    max_length: Scalar<'a>,
    #[serde(borrow, default)]
    precision: Scalar<'a>,
    #[serde(borrow, default)]
    scale: Scalar<'a>,
    #[serde(borrow, default)]
    default_value_expression: Option<&'a RawValue>,
}

impl WireField<'_> {
    fn into_column(self) -> Result<Column, SchemaError> {
        // A name of another JSON type is as invalid as an empty one.
        let name = self.name.get().map_or_else(String::new, Cow::into_owned);
        if !is_column_name(&name) {
            return Err(SchemaError::BadName(name));
        }
        let mode = self.mode.non_empty().unwrap_or("NULLABLE".into());
        let mode = match mode.to_ascii_uppercase().as_str() {
            "NULLABLE" => Mode::Nullable,
            "REQUIRED" => Mode::Required,
            "REPEATED" => Mode::Repeated,
            _ => return Err(SchemaError::BadMode { name, mode: mode.into_owned() }),
        };
        let number = |scalar: Scalar<'_>| scalar.non_empty().and_then(|text| text.parse::<usize>().ok());
        let kind = match self.kind.text().unwrap_or("").to_ascii_uppercase().as_str() {
            "STRING" => ColumnType::String,
            "INTEGER" | "INT64" => ColumnType::Integer,
            "FLOAT" | "FLOAT64" => ColumnType::Float,
            "NUMERIC" => ColumnType::Decimal(Decimal::NUMERIC.with_parameters(number(self.precision), number(self.scale))),
            "BIGNUMERIC" => ColumnType::Decimal(Decimal::BIGNUMERIC.with_parameters(number(self.precision), number(self.scale))),
            "BOOLEAN" | "BOOL" => ColumnType::Boolean,
            "BYTES" => ColumnType::Bytes,
            "TIMESTAMP" => ColumnType::Timestamp,
            "DATE" => ColumnType::Date,
            "TIME" => ColumnType::Time,
            "DATETIME" => ColumnType::Datetime,
            "JSON" => ColumnType::Json,
            _ => ColumnType::Other,
        };
        Ok(Column { name, kind, mode, max_length: number(self.max_length), has_default: self.default_value_expression.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_schemas_are_valid() {
        assert!(Schema::shipped().column("EVENT_ID").is_some_and(|c| c.mode == Mode::Required));
        assert!(Schema::shipped().column("remote_ip").is_none(), "private by default");
        Schema::parse(include_str!("../../schema/dead_letters.json")).unwrap();
    }

    #[test]
    fn type_names_are_legacy_or_standard_limits_text_or_number() {
        let file =
            Schema::parse(r#"[{"name":"n","type":"INT64","maxLength":3},{"name":"s","type":"string","mode":"repeated","maxLength":"7"}]"#)
                .unwrap();
        assert_eq!(file.column("n").unwrap().kind, ColumnType::Integer);
        let s = file.column("S").unwrap();
        assert_eq!((s.kind, s.mode, s.max_length), (ColumnType::String, Mode::Repeated, Some(7)));
        let api = Schema::parse(r#"{"fields":[{"name":"r","type":"RECORD","fields":[{"name":"x","type":"STRING"}]}]}"#).unwrap();
        assert_eq!(api.column("r").unwrap().kind, ColumnType::Other);
    }

    #[test]
    fn the_error_says_why_a_text_is_not_a_schema() {
        for (json, expected) in [
            ("{}", "not a JSON array"),
            ("[]", "no columns"),
            (r#"[{"name":"a","type":"STRING"},{"name":"A","type":"STRING"}]"#, "twice"),
            (r#"[{"name":"a-b","type":"STRING"}]"#, "invalid name"),
            (r#"[{"name":"a","type":"STRING","mode":"OPTIONAL"}]"#, "has mode"),
        ] {
            let error = Schema::parse(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
