//! The columns of a table, from a BigQuery schema file or from `tables.get`.
//!
//! A schema file is checked, because a table is created from it. A live table's schema is BigQuery's: every column is
//! accepted, and [`super::Settings::problems_with`] judges those that the service fills.
//!
//! Shape: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema>. The
//! member `fields` of nested columns, policy tags and other members are not read: the service does not fill RECORDs.
//! [`Schema::fields`] contains them, so that a table is created with everything in the file.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::column_name::{is_column_name, is_same_name};
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
    /// RECORD, GEOGRAPHY, INTERVAL, RANGE, unknown types, and types with unreadable parameters. The service does not fill
    /// them.
    Other,
}

/// A column's mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Nullable,
    Required,
    Repeated,
    /// An unknown mode. The service does not fill such a column.
    Other,
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
    #[error("column {0:?} has a name that BigQuery does not accept: https://cloud.google.com/bigquery/docs/schemas#flexible-column-names")]
    BadName(String),
    #[error("column {0:?} has no type")]
    NoType(String),
    #[error("column {0:?} has an unknown mode: use NULLABLE, REQUIRED or REPEATED")]
    BadMode(String),
}

impl Schema {
    /// Reads a schema file: an array of columns, or an object with `fields`. BigQuery must be able to create a table from it.
    pub fn parse(json: &str) -> Result<Self, SchemaError> {
        let fields = match serde_json::from_str::<Value>(json)? {
            // Without the member, null: the error says that it is not an array.
            Value::Object(mut schema) => schema.remove("fields").unwrap_or(Value::Null),
            fields => fields,
        };
        let schema = Self::read(fields)?;
        let fields = schema.fields.as_array().into_iter().flatten();
        for (index, (column, field)) in schema.columns.iter().zip(fields).enumerate() {
            let name = || column.name.clone();
            if !is_column_name(&column.name) {
                return Err(SchemaError::BadName(name()));
            }
            if schema.columns[..index].iter().any(|other| other.is_called(&column.name)) {
                return Err(SchemaError::Duplicate(name()));
            }
            if field["type"].as_str().is_none_or(str::is_empty) {
                return Err(SchemaError::NoType(name()));
            }
            if column.mode == Mode::Other {
                return Err(SchemaError::BadMode(name()));
            }
        }
        Ok(schema)
    }

    /// Reads the array `schema.fields` of a table resource.
    pub fn of_live_table(fields: &Value) -> Result<Self, SchemaError> {
        Self::read(fields.clone())
    }

    fn read(fields: Value) -> Result<Self, SchemaError> {
        let text = fields.to_string();
        let wire: Vec<WireField<'_>> = serde_json::from_str(&text)?;
        if wire.is_empty() {
            return Err(SchemaError::Empty);
        }
        let columns: Vec<Column> = wire.into_iter().map(WireField::into_column).collect();
        if columns.iter().any(|column| column.name.is_empty()) {
            return Err(SchemaError::BadName(String::new()));
        }
        Ok(Self { columns, fields })
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
        is_same_name(&self.name, name)
    }

    /// Whether a URL parameter or a member of the log entry can fill it.
    pub fn is_fillable(&self) -> bool {
        self.kind != ColumnType::Other && self.mode != Mode::Other
    }
}

/// `maxLength`, `precision` and `scale` are numbers in schema files and strings in the API.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireField<'a> {
    #[serde(borrow, default)]
    name: Scalar<'a>,
    #[serde(borrow, default, rename = "type")]
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
    fn into_column(self) -> Column {
        // A name of another JSON type is as invalid as an empty one.
        let name = self.name.get().map_or_else(String::new, Cow::into_owned);
        let mode = match self.mode.non_empty().unwrap_or("NULLABLE".into()).to_ascii_uppercase().as_str() {
            "NULLABLE" => Mode::Nullable,
            "REQUIRED" => Mode::Required,
            "REPEATED" => Mode::Repeated,
            _ => Mode::Other,
        };
        let parameters = [self.max_length, self.precision, self.scale].map(|number| number.non_empty().map(|text| text.parse::<usize>()));
        let is_readable = parameters.iter().flatten().all(Result::is_ok);
        let [max_length, precision, scale] = parameters.map(|number| number.and_then(Result::ok));
        let kind = match self.kind.text().unwrap_or("").to_ascii_uppercase().as_str() {
            _ if !is_readable => ColumnType::Other,
            "STRING" => ColumnType::String,
            "INTEGER" | "INT64" => ColumnType::Integer,
            "FLOAT" | "FLOAT64" => ColumnType::Float,
            "NUMERIC" => ColumnType::Decimal(Decimal::NUMERIC.with_parameters(precision, scale)),
            "BIGNUMERIC" => ColumnType::Decimal(Decimal::BIGNUMERIC.with_parameters(precision, scale)),
            "BOOLEAN" | "BOOL" => ColumnType::Boolean,
            "BYTES" => ColumnType::Bytes,
            "TIMESTAMP" => ColumnType::Timestamp,
            "DATE" => ColumnType::Date,
            "TIME" => ColumnType::Time,
            "DATETIME" => ColumnType::Datetime,
            "JSON" => ColumnType::Json,
            _ => ColumnType::Other,
        };
        Column { name, kind, mode, max_length, has_default: self.default_value_expression.is_some() }
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
            (r#"[{"name":"É","type":"STRING"},{"name":"é","type":"STRING"}]"#, "twice"),
            (r#"[{"name":"a.b","type":"STRING"}]"#, "does not accept"),
            (r#"[{"type":"STRING"}]"#, "does not accept"),
            (r#"[{"name":"a"}]"#, "has no type"),
            (r#"[{"name":"a","type":"STRING","mode":"OPTIONAL"}]"#, "unknown mode"),
        ] {
            let error = Schema::parse(json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }

    #[test]
    fn a_live_table_may_have_any_column() {
        let fields = serde_json::json!([
            {"name": "a.b", "type": "STRING"},
            {"name": "c", "type": "VECTOR", "mode": "SOMETIMES"},
            {"name": "d", "mode": 3},
            {"name": "e", "type": "STRING", "maxLength": "many"},
            {"name": "f", "type": "STRING", "mode": null, "maxLength": 5},
        ]);
        let schema = Schema::of_live_table(&fields).unwrap();
        let fillable: Vec<&str> =
            schema.columns().iter().filter(|column| column.is_fillable()).map(|column| column.name.as_str()).collect();
        assert_eq!(fillable, ["a.b", "f"]);
    }

    #[test]
    fn a_live_schema_without_columns_is_unreadable() {
        for fields in [serde_json::json!(null), serde_json::json!([]), serde_json::json!({}), serde_json::json!(["a"])] {
            assert!(Schema::of_live_table(&fields).is_err(), "{fields}");
        }
    }
}
