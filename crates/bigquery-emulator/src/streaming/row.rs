//! Checks a row of an insertAll against the schema, and converts it to the stored form.
//!
//! The stored form is a JSON object with the column names of the schema. An absent member is NULL or an empty array. A
//! RECORD is an object, and a REPEATED field is an array. `storage::scalar` describes the scalars.
//!
//! The messages are BigQuery's where they are known, because clients compare some of them.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::storage::scalar;
use crate::storage::schema::{FieldType, Mode, Schema, SchemaField};

/// The error of a row: BigQuery's `ErrorProto`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RowError {
    reason: &'static str,
    /// The path of the field: `params[2].key`.
    location: String,
    debug_info: String,
    message: String,
}

impl RowError {
    pub(crate) fn invalid(location: &str, message: String) -> RowError {
        RowError { reason: "invalid", location: location.to_owned(), debug_info: String::new(), message }
    }

    /// The row is valid but not stored, because another row of the request is invalid.
    pub(crate) fn stopped() -> RowError {
        RowError { reason: "stopped", location: String::new(), debug_info: String::new(), message: String::new() }
    }

    /// Whether this is the error of [`RowError::stopped`].
    #[cfg(feature = "faults")]
    pub(crate) fn is_stopped(&self) -> bool {
        self.reason == "stopped"
    }
}

/// The treatment of members that the schema does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownFields {
    Reject,
    Ignore,
}

/// Options for all rows of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowOptions {
    pub unknown: UnknownFields,
    /// Milliseconds since 1970, for default values.
    pub now: i64,
}

/// Converts `row` to the stored form.
pub(crate) fn check_row(schema: &Schema, row: &Map<String, Value>, options: RowOptions) -> Result<Map<String, Value>, RowError> {
    check_record(&schema.fields, row, "", options)
}

/// `path` is the path of the record. It is empty for the row.
fn check_record(
    fields: &[SchemaField],
    members: &Map<String, Value>,
    path: &str,
    options: RowOptions,
) -> Result<Map<String, Value>, RowError> {
    let mut stored = Map::new();
    for (name, value) in members {
        let path = join(path, name);
        let Some(field) = fields.iter().find(|field| field.is_named(name)) else {
            match options.unknown {
                UnknownFields::Ignore => continue,
                UnknownFields::Reject => {
                    return Err(RowError::invalid(&path, format!("no such field: {path}.")));
                }
            }
        };
        let value = match (field.mode, value) {
            (Mode::Repeated, value) => check_repeated(field, value, &path, options)?,
            (Mode::Nullable, Value::Null) => continue,
            // The check for missing fields below reports it.
            (Mode::Required, Value::Null) => continue,
            (_, value) => check_value(field, value, &path, options)?,
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
        // The default value applies to an absent member, but not to an explicit null.
        let is_mentioned = || members.keys().any(|name| field.is_named(name));
        match &field.default {
            Some(default) if !is_mentioned() => {
                stored.insert(field.name.clone(), default.value(options.now));
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

fn check_repeated(field: &SchemaField, value: &Value, path: &str, options: RowOptions) -> Result<Value, RowError> {
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
        stored.push(check_value(field, element, &path, options)?);
    }
    Ok(Value::Array(stored))
}

/// Checks a non-null value of a field, or one element of a REPEATED field.
fn check_value(field: &SchemaField, value: &Value, path: &str, options: RowOptions) -> Result<Value, RowError> {
    let name = &field.name;
    match (&field.kind, value) {
        (_, Value::Array(_)) => {
            let message = format!("Array specified for non-repeated field: {name}.");
            Err(RowError::invalid(path, message))
        }
        (FieldType::Record(fields), Value::Object(members)) => check_record(fields, members, path, options).map(Value::Object),
        (FieldType::Record(_), _) | (FieldType::Scalar(_), Value::Object(_)) => {
            let message = format!("This field: {name} is not a record.");
            Err(RowError::invalid(path, message))
        }
        (FieldType::Scalar(kind), value) => scalar::to_stored(*kind, value)
            .and_then(|stored| scalar::check_size(*kind, name, field.size, &stored).map(|()| stored))
            .map_err(|message| RowError::invalid(path, message)),
    }
}
