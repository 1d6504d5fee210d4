//! JSON of text, and of values: PARSE_JSON, JSON_ARRAY, JSON_OBJECT.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::FieldRef;
use datafusion::error::Result;
use serde_json::value::RawValue;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Json, Text};
use super::super::failure::Failure;
use super::super::generic::{Call, generic};
use super::super::kind::Kind;
use super::super::overload::Overload;
use super::scan::compact;
use super::write::{Numbers, quoted, write};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "parse_json",
            vec![Overload::unary::<Text, Json, _>(|text| match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) => Ok(compact(raw.get())),
                Err(error) => Err(Failure::new(format!("Invalid input to PARSE_JSON: {error}"))),
            })],
        ),
        generic("json_array", |given| {
            let parameters = given.iter().map(|(field, _)| Arc::clone(field)).collect();
            Some(Call { parameters, returns: Kind::Json.field(""), body: array }).filter(|_| !given.is_empty())
        }),
        generic("json_object", |given| {
            let names = given.iter().step_by(2).all(|(field, _)| Kind::of(field) == Some(Kind::Text));
            let parameters = given.iter().map(|(field, _)| Arc::clone(field)).collect();
            let pairs = names && !given.is_empty() && given.len().is_multiple_of(2);
            pairs.then(|| Call { parameters, returns: Kind::Json.field(""), body: object })
        }),
    ]
}

fn array(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    let mut result = StringBuilder::new();
    for row in 0..columns[0].len() {
        let mut json = String::from("[");
        for (place, (column, field)) in columns.iter().zip(fields).enumerate() {
            json.push_str(if place > 0 { "," } else { "" });
            write(column, field, row, Numbers::Exact, &mut json)?;
        }
        json.push(']');
        result.append_value(json);
    }
    Ok(Arc::new(result.finish()))
}

/// Of names, and the value of each after it. Of a name that comes twice the first value stays.
fn object(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    let mut result = StringBuilder::new();
    for row in 0..columns[0].len() {
        let mut json = String::from("{");
        let mut known = Vec::new();
        for (column, field) in columns.chunks_exact(2).zip(fields.chunks_exact(2)) {
            let names = column[0].as_string::<i32>();
            if names.is_null(row) {
                return Err(Failure::new("Invalid input to JSON_OBJECT: A key cannot be NULL").into());
            }
            let name = names.value(row);
            if known.contains(&name) {
                continue;
            }
            json.push_str(if known.is_empty() { "" } else { "," });
            quoted(name, &mut json);
            json.push(':');
            write(&column[1], &field[1], row, Numbers::Exact, &mut json)?;
            known.push(name);
        }
        json.push('}');
        result.append_value(json);
    }
    Ok(Arc::new(result.finish()))
}
