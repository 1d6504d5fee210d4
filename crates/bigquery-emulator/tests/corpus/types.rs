//! Columns as the cases write them (`name STRING, tags ARRAY<STRING>`) and as the REST API does,
//! and the cells below them.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use serde_json::{Value, json};

/// A column of a result, or a field of a STRUCT.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: Type,
}

/// A type by its GoogleSQL name.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Scalar(String),
    Array(Box<Self>),
    Struct(Vec<Column>),
}

/// Names of the REST API's schemas, and of GoogleSQL. A type that is missing here has one name.
const NAMES: [(&str, &str); 3] = [("INTEGER", "INT64"), ("FLOAT", "FLOAT64"), ("BOOLEAN", "BOOL")];

/// Reads `name TYPE, …`.
pub fn columns(text: &str) -> Result<Vec<Column>, String> {
    split(text).into_iter().map(column).collect()
}

fn column(text: &str) -> Result<Column, String> {
    let (name, kind) = text.split_once(' ').ok_or_else(|| format!("{text:?} is not a column: NAME TYPE"))?;
    Ok(Column { name: name.to_owned(), kind: kind_of(kind)? })
}

fn kind_of(text: &str) -> Result<Type, String> {
    let text = text.trim();
    let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>');
    if let Some(element) = inside("ARRAY") {
        return Ok(Type::Array(Box::new(kind_of(element)?)));
    }
    if let Some(fields) = inside("STRUCT") {
        return Ok(Type::Struct(columns(fields)?));
    }
    let known = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if known && !text.is_empty() { Ok(Type::Scalar(text.to_owned())) } else { Err(format!("{text:?} is not a type")) }
}

/// At the commas that are in no angle brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

impl Column {
    /// From a field of a REST schema.
    pub fn of_schema(field: &Value) -> Self {
        let text = |key: &str| field[key].as_str().unwrap_or_default();
        let kind = match text("type") {
            "RECORD" => Type::Struct(field["fields"].as_array().into_iter().flatten().map(Self::of_schema).collect()),
            other => match NAMES.iter().find(|(rest, sql)| *rest == other || *sql == other) {
                Some((rest, sql)) if *rest == other => Type::Scalar((*sql).to_owned()),
                // GoogleSQL's name, where BigQuery gives the API's.
                Some(_) => Type::Scalar(format!("{other:?}")),
                None => Type::Scalar(other.to_owned()),
            },
        };
        let kind = match text("mode") {
            "REPEATED" => Type::Array(Box::new(kind)),
            "NULLABLE" | "" => kind,
            // A result's columns are all nullable.
            other => Type::Scalar(format!("{kind} {other}")),
        };
        Self { name: text("name").to_owned(), kind }
    }
}

impl Type {
    /// A `QueryParameterType` of the REST API.
    pub fn parameter_type(&self) -> Value {
        match self {
            Self::Scalar(name) => json!({"type": name}),
            Self::Array(element) => json!({"type": "ARRAY", "arrayType": element.parameter_type()}),
            Self::Struct(fields) => {
                let fields = fields.iter().map(|field| json!({"name": field.name, "type": field.kind.parameter_type()}));
                json!({"type": "STRUCT", "structTypes": fields.collect::<Vec<_>>()})
            }
        }
    }

    /// A cell of the REST API (timestamps in microseconds), as the cases write it: numbers and
    /// booleans as JSON has them, a STRUCT as an object, TIMESTAMP in ISO 8601, all else as text.
    pub fn plain(&self, cell: &Value) -> Value {
        match (self, cell) {
            (Self::Array(element), Value::Array(cells)) => cells.iter().map(|cell| element.plain(&cell["v"])).collect(),
            (_, Value::Null) => Value::Null,
            (Self::Struct(fields), Value::Object(row)) if row.contains_key("f") => {
                fields.iter().enumerate().map(|(index, field)| (field.name.clone(), field.kind.plain(&cell["f"][index]["v"]))).collect()
            }
            (Self::Scalar(name), Value::String(text)) => scalar(name, text),
            (_, other) => json!({"is no cell": other}),
        }
    }
}

fn scalar(name: &str, text: &str) -> Value {
    let plain = match name {
        "INT64" => text.parse().ok().map(|number: i64| json!(number)),
        // NaN and the infinities stay text.
        "FLOAT64" => Some(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        "BOOL" => text.parse().ok().map(|value: bool| json!(value)),
        "TIMESTAMP" => text.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).map(|time| json!(time.to_string())),
        _ => Some(text.into()),
    };
    plain.unwrap_or_else(|| json!({format!("is no {name}"): text}))
}

/// Whether two values are the same. Of a FLOAT64 the last digits may differ: no order of
/// summation is documented.
pub fn same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Array(expected), Value::Array(got)) => expected.len() == got.len() && expected.iter().zip(got).all(|(a, b)| same(a, b)),
        (Value::Object(expected), Value::Object(got)) => {
            expected.len() == got.len() && expected.iter().all(|(key, value)| got.get(key).is_some_and(|other| same(value, other)))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap_or(f64::NAN), b.as_f64().unwrap_or(f64::NAN));
            (a - b).abs() <= 1e-12 * a.abs().max(b.abs())
        }
        (expected, got) => expected == got,
    }
}

impl Display for Column {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(name) => f.write_str(name),
            Self::Array(element) => write!(f, "ARRAY<{element}>"),
            Self::Struct(fields) => {
                let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
                write!(f, "STRUCT<{}>", fields.join(", "))
            }
        }
    }
}
