//! A cell of a result: converts BigQuery's encoding, in which every scalar is text, to text and to JSON.

use gcp_bigquery_client::model::field_type::FieldType;
use gcp_bigquery_client::model::table_field_schema::TableFieldSchema;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The largest integer that a JSON reader with 64-bit floats reads exactly.
const MAX_EXACT: i64 = 1 << 53;

/// As JSON of the column's type; NUMERIC, large integers and BYTES are strings.
pub(crate) fn json(field: &TableFieldSchema, cell: &Value) -> Value {
    match cell {
        Value::Null => Value::Null,
        Value::Array(elements) => elements.iter().map(|element| single_json(field, &element["v"])).collect(),
        other => single_json(field, other),
    }
}

fn single_json(field: &TableFieldSchema, value: &Value) -> Value {
    if let (Some(fields), Value::Array(cells)) = (&field.fields, &value["f"]) {
        let members: Map<String, Value> =
            fields.iter().zip(cells).map(|(field, cell)| (field.name.clone(), json(field, &cell["v"]))).collect();
        return Value::Object(members);
    }
    let Some(text) = value.as_str() else { return value.clone() };
    let parsed = match field.r#type {
        FieldType::Integer | FieldType::Int64 => {
            text.parse::<i64>().ok().filter(|number| (-MAX_EXACT..=MAX_EXACT).contains(number)).map(Value::from)
        }
        // JSON has no NaN and no infinities: they stay text.
        FieldType::Float | FieldType::Float64 => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number)),
        FieldType::Boolean | FieldType::Bool => text.parse::<bool>().ok().map(Value::from),
        FieldType::Json => serde_json::from_str(text).ok(),
        FieldType::Timestamp => timestamp(text).map(|timestamp| Value::from(timestamp.to_string())),
        FieldType::String
        | FieldType::Bytes
        | FieldType::Numeric
        | FieldType::Bignumeric
        | FieldType::Date
        | FieldType::Time
        | FieldType::Datetime
        | FieldType::Record
        | FieldType::Struct
        | FieldType::Geography
        | FieldType::Interval => None,
    };
    parsed.unwrap_or_else(|| value.clone())
}

/// As text; arrays and structs are JSON. `None` is NULL.
pub(crate) fn text(field: &TableFieldSchema, cell: &Value) -> Option<String> {
    match (&field.r#type, cell) {
        (_, Value::Null) => None,
        (FieldType::Timestamp, Value::String(text)) => Some(timestamp(text).map_or_else(|| text.clone(), console)),
        (_, Value::String(text)) => Some(text.clone()),
        (_, nested) => Some(json(field, nested).to_string()),
    }
}

/// Whether a column reads better aligned to the right.
pub(crate) fn is_number(field: &TableFieldSchema) -> bool {
    let number = matches!(
        field.r#type,
        FieldType::Integer | FieldType::Int64 | FieldType::Float | FieldType::Float64 | FieldType::Numeric | FieldType::Bignumeric
    );
    number && field.mode.as_deref() != Some("REPEATED")
}

/// Seconds since 1970, as `1.767323045402197E9`. (The client cannot ask for microseconds on every
/// page.) A float holds today's microseconds exactly.
fn timestamp(text: &str) -> Option<Timestamp> {
    let seconds: f64 = text.parse().ok()?;
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
}

/// In the format of BigQuery's console.
fn console(timestamp: Timestamp) -> String {
    timestamp.to_string().replace('T', " ").replace('Z', " UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: FieldType) -> TableFieldSchema {
        TableFieldSchema::new("x", kind)
    }

    #[test]
    fn json_has_the_types_of_the_columns() {
        for (kind, cell, expected) in [
            (FieldType::Integer, "5", json!(5)),
            (FieldType::Integer, "9007199254740993", json!("9007199254740993")),
            (FieldType::Float, "0.5", json!(0.5)),
            (FieldType::Float, "NaN", json!("NaN")),
            (FieldType::Boolean, "true", json!(true)),
            (FieldType::Numeric, "1.10", json!("1.10")),
            (FieldType::Json, r#"{"a":1}"#, json!({"a": 1})),
            (FieldType::Timestamp, "1.767323045402197E9", json!("2026-01-02T03:04:05.402197Z")),
            (FieldType::String, "5", json!("5")),
        ] {
            assert_eq!(json(&field(kind), &json!(cell)), expected, "{cell}");
        }
        assert_eq!(json(&field(FieldType::Integer), &Value::Null), Value::Null);
    }

    #[test]
    fn nested_values_are_unwrapped() {
        let mut record = field(FieldType::Record);
        record.fields = Some(vec![TableFieldSchema::new("a", FieldType::Integer), TableFieldSchema::new("b", FieldType::String)]);
        let cell = json!([{"v": {"f": [{"v": "1"}, {"v": null}]}}]);
        assert_eq!(json(&record, &cell), json!([{"a": 1, "b": null}]));
        assert_eq!(text(&record, &cell).unwrap(), r#"[{"a":1,"b":null}]"#);
    }

    #[test]
    fn a_timestamp_reads_as_in_the_console() {
        assert_eq!(text(&field(FieldType::Timestamp), &json!("1.767323045E9")).unwrap(), "2026-01-02 03:04:05 UTC");
    }
}
