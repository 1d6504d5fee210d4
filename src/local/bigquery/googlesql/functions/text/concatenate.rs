//! CONCAT and `||` of STRING and BYTES. (Of arrays: [`arrays`](super::super::array).)

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringBuilder};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use std::sync::Arc;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::kind::Kind;
use super::super::overload::Overload;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "concat",
        vec![
            Overload::columns(&[Kind::Text], Kind::Text, texts).and_any_number_of(Kind::Text),
            Overload::columns(&[Kind::Bytes], Kind::Bytes, bytes).and_any_number_of(Kind::Bytes),
        ],
    )]
}

/// NULL where any argument is.
pub(in super::super) fn texts(arguments: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    let columns = ColumnarValue::values_to_arrays(arguments)?;
    let columns: Vec<_> = columns.iter().map(|column| column.as_string::<i32>()).collect();
    let rows = columns.first().map_or(rows, |column| column.len());
    let mut result = StringBuilder::with_capacity(rows, columns.iter().map(|column| column.value_data().len()).sum());
    let mut row_text = String::new();
    for row in 0..rows {
        if columns.iter().any(|column| column.is_null(row)) {
            result.append_null();
            continue;
        }
        row_text.clear();
        columns.iter().for_each(|column| row_text.push_str(column.value(row)));
        result.append_value(&row_text);
    }
    given(arguments, Arc::new(result.finish()))
}

pub(in super::super) fn bytes(arguments: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
    let columns = ColumnarValue::values_to_arrays(arguments)?;
    let columns: Vec<_> = columns.iter().map(|column| column.as_binary::<i32>()).collect();
    let rows = columns.first().map_or(rows, |column| column.len());
    let mut result = BinaryBuilder::with_capacity(rows, 0);
    for row in 0..rows {
        match columns.iter().any(|column| column.is_null(row)) {
            true => result.append_null(),
            false => result.append_value(columns.iter().map(|column| column.value(row)).collect::<Vec<_>>().concat()),
        }
    }
    given(arguments, Arc::new(result.finish()))
}

/// Constants make a constant.
fn given(arguments: &[ColumnarValue], result: ArrayRef) -> Result<ColumnarValue> {
    match arguments.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_))) {
        true => Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&result, 0)?)),
        false => Ok(ColumnarValue::Array(result)),
    }
}
