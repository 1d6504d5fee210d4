//! `--param NAME:TYPE:VALUE`, as `bq query --parameter` has it.
//!
//! Without a name, it is the next positional parameter (`?`). Without a type, it is a STRING. The value `NULL` is NULL.
//! The value of an ARRAY or STRUCT is JSON.

use std::str::FromStr;

use gcp_bigquery_client::model::query_parameter::QueryParameter;
use gcp_bigquery_client::model::query_parameter_type::QueryParameterType;
use gcp_bigquery_client::model::query_parameter_type_struct_types::QueryParameterTypeStructTypes;
use gcp_bigquery_client::model::query_parameter_value::QueryParameterValue;
use serde_json::Value;

/// A parameter as the API has it.
#[derive(Debug, Clone)]
pub(crate) struct Parameter(pub(crate) QueryParameter);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ParameterError {
    #[error("expected NAME:TYPE:VALUE, as day:DATE:2026-01-02")]
    Form,
    #[error("unknown type {0:?}")]
    Type(String),
    #[error("{value:?} is not JSON: {error}")]
    Json { value: String, error: serde_json::Error },
    #[error("the value of an {kind} must be {expected}")]
    Shape { kind: &'static str, expected: &'static str },
}

impl FromStr for Parameter {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        let (name, rest) = text.split_once(':').ok_or(ParameterError::Form)?;
        let (kind, value) = split_at_colon(rest).ok_or(ParameterError::Form)?;
        let kind = parse_type(if kind.trim().is_empty() { "STRING" } else { kind })?;
        let value = match (kind.r#type.as_str(), value) {
            (_, "NULL") => none(),
            ("ARRAY" | "STRUCT", json) => {
                let parsed = serde_json::from_str(json).map_err(|error| ParameterError::Json { value: json.to_owned(), error })?;
                parse_value(&kind, &parsed)?
            }
            (_, scalar) => QueryParameterValue { value: Some(scalar.to_owned()), ..none() },
        };
        Ok(Self(QueryParameter {
            name: Some(name.to_owned()).filter(|name| !name.is_empty()),
            parameter_type: Some(kind),
            parameter_value: Some(value),
        }))
    }
}

/// At the first colon that is not within the angle brackets of a type.
fn split_at_colon(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_i32;
    let colon = text.char_indices().find(|&(_, c)| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        c == ':' && depth <= 0
    });
    let (at, _) = colon?;
    Some((&text[..at], &text[at + 1..]))
}

/// `INT64`, `ARRAY<DATE>`, `STRUCT<x INT64, y ARRAY<STRING>>`
fn parse_type(text: &str) -> Result<QueryParameterType, ParameterError> {
    let text = text.trim();
    let unknown = || ParameterError::Type(text.to_owned());
    let Some((outer, inner)) = text.split_once('<') else {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let kind = text.to_ascii_uppercase();
        return if plain { Ok(QueryParameterType { array_type: None, struct_types: None, r#type: kind }) } else { Err(unknown()) };
    };
    let inner = inner.strip_suffix('>').ok_or_else(unknown)?;
    match outer.trim().to_ascii_uppercase().as_str() {
        "ARRAY" => {
            Ok(QueryParameterType { array_type: Some(Box::new(parse_type(inner)?)), struct_types: None, r#type: "ARRAY".to_owned() })
        }
        "STRUCT" => {
            let members = split_at_commas(inner).into_iter().map(|member| {
                let (name, kind) = member.trim().split_once(char::is_whitespace).ok_or_else(unknown)?;
                Ok(QueryParameterTypeStructTypes { description: None, name: Some(name.to_owned()), r#type: Some(parse_type(kind)?) })
            });
            Ok(QueryParameterType { array_type: None, struct_types: Some(members.collect::<Result<_, _>>()?), r#type: "STRUCT".to_owned() })
        }
        _ => Err(unknown()),
    }
}

/// Splits at commas outside of angle brackets.
fn split_at_commas(text: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    text.split(|c: char| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        c == ',' && depth == 0
    })
    .collect()
}

fn parse_value(kind: &QueryParameterType, value: &Value) -> Result<QueryParameterValue, ParameterError> {
    match (&kind.array_type, &kind.struct_types, value) {
        (_, _, Value::Null) => Ok(none()),
        (Some(element), _, Value::Array(values)) => {
            let values = values.iter().map(|value| parse_value(element, value)).collect::<Result<_, _>>()?;
            Ok(QueryParameterValue { array_values: Some(values), ..none() })
        }
        (Some(_), ..) => Err(ParameterError::Shape { kind: "ARRAY", expected: "a JSON array" }),
        (None, Some(members), Value::Object(values)) => {
            let values = members.iter().map(|member| {
                let name = member.name.clone().expect("parse_type gives each member a name");
                let value = values.get(&name).unwrap_or(&Value::Null);
                let value = member.r#type.as_ref().map_or_else(|| Ok(none()), |kind| parse_value(kind, value))?;
                Ok((name, value))
            });
            Ok(QueryParameterValue { struct_values: Some(values.collect::<Result<_, _>>()?), ..none() })
        }
        (None, Some(_), _) => Err(ParameterError::Shape { kind: "STRUCT", expected: "a JSON object" }),
        (None, None, Value::String(text)) => Ok(QueryParameterValue { value: Some(text.clone()), ..none() }),
        (None, None, other) => Ok(QueryParameterValue { value: Some(other.to_string()), ..none() }),
    }
}

fn none() -> QueryParameterValue {
    QueryParameterValue::default()
}

#[cfg(test)]
mod tests {
    use super::Parameter;
    use serde_json::{Value, json};

    fn parsed(text: &str) -> Value {
        serde_json::to_value(text.parse::<Parameter>().unwrap().0).unwrap()
    }

    #[test]
    fn a_scalar_has_a_name_a_type_and_a_value() {
        let expected = json!({"name": "at", "parameterType": {"type": "TIMESTAMP"}, "parameterValue": {"value": "2026-01-02 03:04:05"}});
        assert_eq!(parsed("at:timestamp:2026-01-02 03:04:05"), expected);
    }

    #[test]
    fn name_and_type_may_be_left_out_and_the_value_may_be_null() {
        assert_eq!(parsed("::a:b"), json!({"parameterType": {"type": "STRING"}, "parameterValue": {"value": "a:b"}}));
        assert_eq!(parsed("x:INT64:NULL"), json!({"name": "x", "parameterType": {"type": "INT64"}, "parameterValue": {}}));
    }

    #[test]
    fn arrays_and_structs_are_written_as_json() {
        let ids = parsed("ids:ARRAY<INT64>:[1,2]");
        assert_eq!(ids["parameterType"], json!({"type": "ARRAY", "arrayType": {"type": "INT64"}}));
        assert_eq!(ids["parameterValue"], json!({"arrayValues": [{"value": "1"}, {"value": "2"}]}));
        let point = parsed(r#"p:STRUCT<x INT64, tags ARRAY<STRING>>:{"x": 1, "tags": ["a"]}"#);
        assert_eq!(point["parameterType"]["structTypes"][1]["type"]["arrayType"], json!({"type": "STRING"}));
        let values = json!({"x": {"value": "1"}, "tags": {"arrayValues": [{"value": "a"}]}});
        assert_eq!(point["parameterValue"]["structValues"], values);
    }

    #[test]
    fn an_invalid_parameter_is_refused() {
        for text in ["", "x", "x:INT64", "x:ARRAY<INT64:[1]", "x:LIST<INT64>:[1]", "x:ARRAY<INT64>:1", "x:ARRAY<INT64>:[", "x:INT 64:1"] {
            assert!(text.parse::<Parameter>().is_err(), "{text}");
        }
    }
}
