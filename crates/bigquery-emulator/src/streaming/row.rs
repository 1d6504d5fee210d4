//! A row of an insertAll against the schema of its table.
//!
//! Pure: a JSON object and a schema in, the stored form or the first error out. The stored form
//! is a JSON object that names columns as the schema does, in which absent means NULL (or an
//! empty array), RECORDs are objects, REPEATED fields arrays, and scalars are as `scalar` says.
//!
//! The messages are BigQuery's, as far as they are known; clients match on some of them.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::storage::scalar;
use crate::storage::schema::{Field, Kind, Mode, Schema};

/// Why a row does not fit: BigQuery's `ErrorProto`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RowError {
    reason: &'static str,
    /// The path of the field, as in `params[2].key`.
    location: String,
    debug_info: String,
    message: String,
}

impl RowError {
    pub(crate) fn invalid(location: &str, message: String) -> RowError {
        RowError { reason: "invalid", location: location.to_owned(), debug_info: String::new(), message }
    }

    /// The row is good, but another row of the request is not, and so none is stored.
    pub(crate) fn stopped() -> RowError {
        RowError { reason: "stopped", location: String::new(), debug_info: String::new(), message: String::new() }
    }

    /// Whether it is that one.
    #[cfg(feature = "faults")]
    pub(crate) fn is_stopped(&self) -> bool {
        self.reason == "stopped"
    }
}

/// What becomes of members that the schema does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Refuse,
    Ignore,
}

/// What holds for all rows of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub unknown: Unknown,
    /// For default values: milliseconds since 1970.
    pub now: i64,
}

/// The stored form of `row`.
pub(crate) fn check(schema: &Schema, row: &Map<String, Value>, rules: Rules) -> Result<Map<String, Value>, RowError> {
    record(&schema.fields, row, "", rules)
}

/// `path` is that of the record, empty for the row itself.
fn record(fields: &[Field], members: &Map<String, Value>, path: &str, rules: Rules) -> Result<Map<String, Value>, RowError> {
    let mut stored = Map::new();
    for (name, value) in members {
        let path = join(path, name);
        let Some(field) = fields.iter().find(|field| field.is_named(name)) else {
            match rules.unknown {
                Unknown::Ignore => continue,
                Unknown::Refuse => {
                    return Err(RowError::invalid(&path, format!("no such field: {path}.")));
                }
            }
        };
        let value = match (field.mode, value) {
            (Mode::Repeated, value) => repeated(field, value, &path, rules)?,
            (Mode::Nullable, Value::Null) => continue,
            // The check for missing fields below will say so.
            (Mode::Required, Value::Null) => continue,
            (_, value) => single(field, value, &path, rules)?,
        };
        if stored.insert(field.name.clone(), value).is_some() {
            let message = format!("Field {path} is given more than once.");
            return Err(RowError::invalid(&path, message));
        }
    }
    for field in fields.iter().filter(|field| field.default.is_some() || field.mode == Mode::Required) {
        if stored.contains_key(&field.name) {
            continue;
        }
        // An explicit null stays one; a default is for the column that is not mentioned.
        let mentioned = || members.keys().any(|name| field.is_named(name));
        match &field.default {
            Some(default) if !mentioned() => {
                stored.insert(field.name.clone(), default.value(rules.now));
            }
            _ if field.mode == Mode::Required => {
                let name = join(path, &field.name);
                let message = format!("Missing required field: {name}.");
                return Err(RowError::invalid(&name, message));
            }
            _ => {}
        }
    }
    Ok(stored)
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        record => format!("{record}.{name}"),
    }
}

fn repeated(field: &Field, value: &Value, path: &str, rules: Rules) -> Result<Value, RowError> {
    let null = |path: &str| {
        let name = &field.name;
        let message = format!("Only optional fields can be set to NULL. Field: {name}; Value: NULL");
        RowError::invalid(path, message)
    };
    let elements = match value {
        Value::Array(elements) => elements,
        Value::Null => return Err(null(path)),
        _ => {
            let name = &field.name;
            let message = format!("Repeated field must be imported as a JSON array. Field: {name}.");
            return Err(RowError::invalid(path, message));
        }
    };
    let mut stored = Vec::with_capacity(elements.len());
    for (index, element) in elements.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if element.is_null() {
            return Err(null(&path));
        }
        stored.push(single(field, element, &path, rules)?);
    }
    Ok(Value::Array(stored))
}

/// A value that is not null, of a field that is not REPEATED or of one element of it.
fn single(field: &Field, value: &Value, path: &str, rules: Rules) -> Result<Value, RowError> {
    let name = &field.name;
    match (&field.kind, value) {
        (_, Value::Array(_)) => {
            let message = format!("Array specified for non-repeated field: {name}.");
            Err(RowError::invalid(path, message))
        }
        (Kind::Record(fields), Value::Object(members)) => record(fields, members, path, rules).map(Value::Object),
        (Kind::Record(_), _) | (Kind::Scalar(_), Value::Object(_)) => {
            let message = format!("This field: {name} is not a record.");
            Err(RowError::invalid(path, message))
        }
        (Kind::Scalar(kind), value) => scalar::store(*kind, value)
            .and_then(|stored| scalar::check_size(*kind, name, field.size, &stored).map(|()| stored))
            .map_err(|message| RowError::invalid(path, message)),
    }
}
