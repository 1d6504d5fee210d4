//! CONCAT and `||` of STRING and BYTES. (Of arrays: [`arrays`](super::super::array).)

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::super::generic::{Call, generic};
use super::super::kind::Kind;
use super::super::{FUNCTIONS, Function};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![generic("concat", |given| {
        let kinds: Vec<Kind> = given.iter().filter_map(|(field, _)| Kind::of(field)).collect();
        let known = given.iter().filter(|(field, _)| !field.data_type().is_null()).count();
        let all_bytes = !kinds.is_empty() && kinds.iter().all(|kind| *kind == Kind::Bytes);
        let texts = !kinds.iter().any(|kind| matches!(kind, Kind::Bytes | Kind::Json | Kind::Array(_)));
        if given.is_empty() || kinds.len() != known || !(all_bytes || texts) {
            return None;
        }
        let kind = if all_bytes { Kind::Bytes } else { Kind::Text };
        let parameters = given.iter().map(|(field, _)| match field.data_type().is_null() {
            true => kind.field(""),
            false => Arc::clone(field),
        });
        Some(Call { parameters: parameters.collect(), returns: kind.field(""), body: if all_bytes { all_of_bytes } else { all_as_text } })
    })]
}

fn all_of_bytes(columns: &[ArrayRef], _: &[FieldRef]) -> Result<ArrayRef> {
    let columns: Vec<ColumnarValue> = columns.iter().cloned().map(ColumnarValue::Array).collect();
    bytes(&columns, 0)?.into_array(0)
}

/// What is no text is cast to it.
fn all_as_text(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    let columns: Result<Vec<ColumnarValue>> = columns.iter().zip(fields).map(|(column, field)| as_text(column, field)).collect();
    texts(&columns?, 0)?.into_array(0)
}

fn as_text(column: &ArrayRef, field: &FieldRef) -> Result<ColumnarValue> {
    let argument = ColumnarValue::Array(Arc::clone(column));
    let Some(Function::Scalar { udf, .. }) = FUNCTIONS.get("$cast_string") else {
        return Err(DataFusionError::Internal("there is no cast to STRING".to_owned()));
    };
    if column.data_type() == &DataType::Utf8 {
        return Ok(argument);
    }
    udf.invoke_with_args(ScalarFunctionArgs {
        args: vec![argument],
        arg_fields: vec![Arc::clone(field)],
        number_rows: column.len(),
        return_field: Kind::Text.field(""),
        config_options: Arc::default(),
    })
}

/// NULL where any argument is.
pub(crate) fn texts(arguments: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
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

pub(crate) fn bytes(arguments: &[ColumnarValue], rows: usize) -> Result<ColumnarValue> {
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
