//! One value in BigQuery's encoding of a result: every scalar is text.

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

/// The value at `row`.
pub(crate) fn encode(values: &dyn Array, row: usize, field: &Field, int64_timestamp: bool) -> Value {
    if let Some(list) = values.as_list_opt::<i32>() {
        // A NULL array is an empty one.
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
        DataType::Float64 => float(values.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => values.as_string::<i32>().value(row).to_owned(),
        DataType::Binary => BASE64_STANDARD.encode(values.as_binary::<i32>().value(row)),
        DataType::Date32 => civil_time::date(values.as_primitive::<Date32Type>().value(row)).to_string(),
        DataType::Time64(_) => time(values.as_primitive::<Time64MicrosecondType>().value(row)),
        DataType::Timestamp(_, Some(_)) => {
            let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
            if int64_timestamp { micros.to_string() } else { number_text::timestamp_seconds(micros) }
        }
        DataType::Timestamp(_, None) => {
            let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
            format!("{}T{}", civil_time::datetime(micros).date(), time(micros.rem_euclid(MICROS_OF_DAY)))
        }
        DataType::Decimal128(..) => plain(&values.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Decimal256(..) => plain(&values.as_primitive::<Decimal256Type>().value_as_string(row)),
        DataType::Interval(_) => interval(values.as_primitive::<IntervalMonthDayNanoType>().value(row)),
        other => {
            debug_assert!(false, "a result has a column of type {other}");
            return Value::Null;
        }
    };
    Value::String(text)
}

fn float(number: f64) -> String {
    match number {
        nan if nan.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        number => number_text::double(number),
    }
}

/// Without superfluous zeros.
fn plain(text: &str) -> String {
    number_text::decimal(text, 100, 100).unwrap_or_else(|| text.to_owned())
}

/// `12:34:56`, with six decimals if it has any.
fn time(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { text } else { format!("{text}.{fraction:06}") }
}

/// `1-2 3 4:5:6.789`: years and months, days, time.
fn interval(value: datafusion::arrow::datatypes::IntervalMonthDayNano) -> String {
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

/// A result's arrays have no NULLs in them.
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
    }
    Ok(())
}

/// About how many bytes the value is when written.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 10,
        Value::Array(elements) => elements.iter().map(size).sum::<usize>() + 10,
        Value::Object(members) => members.values().map(size).sum::<usize>() + 10,
        _ => 10,
    }
}
