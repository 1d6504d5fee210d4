//! Encodes one value of a result for BigQuery's REST API, where every scalar is a JSON string.
//!
//! `result` calls it for each cell. Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults>.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float64Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use serde_json::{Value, json};

use crate::civil_time::{self, MICROS_OF_DAY};
use crate::error::QueryError;
use crate::number_text;

/// Encodes the value at `row`.
pub(crate) fn encode(values: &dyn Array, row: usize, field: &Field, int64_timestamp: bool) -> Value {
    if let Some(list) = values.as_list_opt::<i32>() {
        // BigQuery returns a NULL array as an empty array.
        if list.is_null(row) {
            return json!([]);
        }
        let elements = list.value(row);
        let item = match field.data_type() {
            DataType::List(item) => item.as_ref(),
            _ => field,
        };
        return (0..elements.len()).map(|index| json!({"v": encode(&elements, index, item, int64_timestamp)})).collect();
    }
    if values.is_null(row) {
        return Value::Null;
    }
    if let Some(members) = values.as_struct_opt() {
        let cells: Vec<Value> = members
            .columns()
            .iter()
            .zip(members.fields())
            .map(|(column, field)| json!({"v": encode(column, row, field, int64_timestamp)}))
            .collect();
        return json!({"f": cells});
    }
    scalar_text(values, row, int64_timestamp)
}

fn scalar_text(values: &dyn Array, row: usize, int64_timestamp: bool) -> Value {
    let text = match values.data_type() {
        DataType::Boolean => values.as_boolean().value(row).to_string(),
        DataType::Int64 => values.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => float_text(values.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => values.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => BASE64_STANDARD.encode(values.as_binary::<i32>().value(row)),
        DataType::Date32 => civil_time::date(values.as_primitive::<Date32Type>().value(row)).to_string(),
        DataType::Time64(_) => time_text(values.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::Timestamp(_, Some(_)) => {
            let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
            if int64_timestamp { micros.to_string() } else { number_text::timestamp_seconds(micros) }
        }
        DataType::Timestamp(_, None) => {
            let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
            format!("{}T{}", civil_time::datetime(micros).date(), time_text(micros.rem_euclid(MICROS_OF_DAY)))
        }
        DataType::Decimal128(..) => trim_zeros(&values.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Decimal256(..) => trim_zeros(&values.as_primitive::<Decimal256Type>().value_as_string(row)),
        DataType::Interval(_) => interval_text(values.as_primitive::<IntervalMonthDayNanoType>().value(row)),
        other => unreachable!("check_elements rejects the type {other}"),
    };
    Value::String(text)
}

fn float_text(number: f64) -> String {
    match number {
        nan if nan.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        number => number_text::double(number),
    }
}

/// Removes superfluous zeros.
fn trim_zeros(text: &str) -> String {
    number_text::decimal(text, 100, 100).unwrap_or_else(|| text.to_owned())
}

/// `12:34:56`, or `12:34:56.000001` if it has a fraction.
fn time_text(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { text } else { format!("{text}.{fraction:06}") }
}

/// `1-2 3 4:5:6.789`: years and months, days, time.
fn interval_text(value: datafusion::arrow::datatypes::IntervalMonthDayNano) -> String {
    let sign = |negative: bool| if negative { "-" } else { "" };
    let months = value.months.unsigned_abs();
    let micros = (value.nanoseconds / 1_000).unsigned_abs();
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}").trim_end_matches('0').to_owned() };
    format!(
        "{}{}-{} {} {}{}:{}:{}{fraction}",
        sign(value.months < 0),
        months / 12,
        months % 12,
        value.days,
        sign(value.nanoseconds < 0),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Rejects values that a result cannot contain: NULL elements of arrays, and types without an encoding.
pub(crate) fn check_elements(name: &str, values: &dyn Array) -> Result<(), QueryError> {
    if let Some(list) = values.as_list_opt::<i32>() {
        let used = list.value_offsets();
        let (from, to) = (used[0] as usize, used[used.len() - 1] as usize);
        let elements = list.values().slice(from, to - from);
        if elements.null_count() > 0 && (0..list.len()).any(|row| list.is_valid(row) && list.value(row).null_count() > 0) {
            let message = format!("Array cannot have a null element; error in writing field {name}");
            return Err(QueryError::Invalid(message));
        }
        return check_elements(name, &elements);
    }
    if let Some(members) = values.as_struct_opt() {
        for (member, field) in members.columns().iter().zip(members.fields()) {
            check_elements(field.name(), member)?;
        }
        return Ok(());
    }
    match is_encodable(values.data_type()) {
        true => Ok(()),
        false => Err(QueryError::Invalid(format!("Cannot encode field {name}: unknown type {}", values.data_type()))),
    }
}

/// Whether [`scalar_text`] encodes the type.
fn is_encodable(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Int64
            | DataType::Float64
            | DataType::Utf8
            | DataType::Binary
            | DataType::Date32
            | DataType::Time64(_)
            | DataType::Timestamp(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..)
            | DataType::Interval(_)
    )
}

/// Estimates the bytes of the value's JSON text.
pub(crate) fn estimate_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 10,
        Value::Array(elements) => elements.iter().map(estimate_size).sum::<usize>() + 10,
        Value::Object(members) => members.values().map(estimate_size).sum::<usize>() + 10,
        _ => 10,
    }
}
