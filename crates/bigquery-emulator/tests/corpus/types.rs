//! Converts columns and cells between the notation of the cases (`name STRING, tags ARRAY<STRING>`) and the REST API.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use serde_json::{Value, json};

/// A column of a result, or a field of a STRUCT.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: Type,
}

/// A GoogleSQL type.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    Scalar(String),
    Array(Box<Self>),
    Struct(Vec<Column>),
}

/// The types whose names in the REST API's schemas differ from GoogleSQL.
const TYPE_NAMES: [(&str, &str); 3] = [("INTEGER", "INT64"), ("FLOAT", "FLOAT64"), ("BOOLEAN", "BOOL")];

/// Parses `name TYPE, …`.
pub fn parse_columns(text: &str) -> Result<Vec<Column>, String> {
    split(text).into_iter().map(parse_column).collect()
}

fn parse_column(text: &str) -> Result<Column, String> {
    let (name, kind) = text.split_once(' ').ok_or_else(|| format!("{text:?} is not a column: NAME TYPE"))?;
    Ok(Column { name: name.to_owned(), kind: parse_type(kind)? })
}

fn parse_type(text: &str) -> Result<Type, String> {
    let text = text.trim();
    let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>');
    if let Some(element) = inside("ARRAY") {
        return Ok(Type::Array(Box::new(parse_type(element)?)));
    }
    if let Some(fields) = inside("STRUCT") {
        return Ok(Type::Struct(parse_columns(fields)?));
    }
    let known = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if known && !text.is_empty() { Ok(Type::Scalar(text.to_owned())) } else { Err(format!("{text:?} is not a type")) }
}

/// Splits at the commas outside of angle brackets.
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
    /// Converts a field of a REST schema.
    pub fn from_schema(field: &Value) -> Self {
        let text = |key: &str| field[key].as_str().unwrap_or_default();
        let kind = match text("type") {
            "RECORD" => Type::Struct(field["fields"].as_array().into_iter().flatten().map(Self::from_schema).collect()),
            other => match TYPE_NAMES.iter().find(|(rest, sql)| *rest == other || *sql == other) {
                Some((rest, sql)) if *rest == other => Type::Scalar((*sql).to_owned()),
                // The GoogleSQL name is wrong here, so it is quoted and does not match.
                Some(_) => Type::Scalar(format!("{other:?}")),
                None => Type::Scalar(other.to_owned()),
            },
        };
        let kind = match text("mode") {
            "REPEATED" => Type::Array(Box::new(kind)),
            "NULLABLE" | "" => kind,
            // The columns of a result must be nullable, so another mode does not match.
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

    /// Converts a cell of the REST API, with timestamps in microseconds, to the notation of the cases: JSON numbers and
    /// booleans, an object for a STRUCT, ISO 8601 for a TIMESTAMP, and text for all other types.
    pub fn to_notation(&self, cell: &Value) -> Value {
        match (self, cell) {
            (Self::Array(element), Value::Array(cells)) => cells.iter().map(|cell| element.to_notation(&cell["v"])).collect(),
            (_, Value::Null) => Value::Null,
            (Self::Struct(fields), Value::Object(row)) if row.contains_key("f") => fields
                .iter()
                .enumerate()
                .map(|(index, field)| (field.name.clone(), field.kind.to_notation(&cell["f"][index]["v"])))
                .collect(),
            (Self::Scalar(name), Value::String(text)) => scalar_to_notation(name, text),
            (_, other) => json!({"invalid cell": other}),
        }
    }
}

fn scalar_to_notation(name: &str, text: &str) -> Value {
    let plain = match name {
        "INT64" => text.parse().ok().map(|number: i64| json!(number)),
        // NaN and infinity are text.
        "FLOAT64" => Some(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        "BOOL" => text.parse().ok().map(|value: bool| json!(value)),
        "TIMESTAMP" => text.parse().ok().and_then(|micros| Timestamp::from_microsecond(micros).ok()).map(|time| json!(time.to_string())),
        _ => Some(text.into()),
    };
    plain.unwrap_or_else(|| json!({format!("invalid {name}"): text}))
}

/// Whether two values are equal. The last digits of a FLOAT64 may differ, because the order of summation is undefined.
pub fn is_same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Array(expected), Value::Array(got)) => expected.len() == got.len() && expected.iter().zip(got).all(|(a, b)| is_same(a, b)),
        (Value::Object(expected), Value::Object(got)) => {
            expected.len() == got.len() && expected.iter().all(|(key, value)| got.get(key).is_some_and(|other| is_same(value, other)))
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
