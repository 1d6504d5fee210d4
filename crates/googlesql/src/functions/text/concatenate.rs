//! CONCAT and `||` of STRING and BYTES. Arrays are in [`array`](super::super::array).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::super::generic::{ScalarCall, generic};
use super::super::memory_budget::MemoryBudget;
use super::super::sql_type::SqlType;
use super::super::{FUNCTIONS, Function};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![generic("concat", |arguments| {
        let types: Vec<SqlType> = arguments.iter().filter_map(|(field, _)| SqlType::of(field)).collect();
        let known = arguments.iter().filter(|(field, _)| !field.data_type().is_null()).count();
        let all_bytes = !types.is_empty() && types.iter().all(|sql_type| *sql_type == SqlType::Bytes);
        let is_text = !types.iter().any(|sql_type| matches!(sql_type, SqlType::Bytes | SqlType::Json | SqlType::Array(_)));
        if arguments.is_empty() || types.len() != known || !(all_bytes || is_text) {
            return None;
        }
        let sql_type = if all_bytes { SqlType::Bytes } else { SqlType::Text };
        let parameters = arguments.iter().map(|(field, _)| match field.data_type().is_null() {
            true => sql_type.field(""),
            false => Arc::clone(field),
        });
        Some(ScalarCall {
            parameters: parameters.collect(),
            returns: sql_type.field(""),
            body: if all_bytes { concatenate_byte_columns } else { concatenate_as_text },
        })
    })]
}

fn concatenate_byte_columns(columns: &[ArrayRef], _: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    concatenate_bytes(columns, budget)
}

/// Casts the other types to STRING.
fn concatenate_as_text(columns: &[ArrayRef], fields: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let columns: Result<Vec<ArrayRef>> = columns.iter().zip(fields).map(|(column, field)| cast_to_text(column, field)).collect();
    concatenate_texts(&columns?, budget)
}

fn cast_to_text(column: &ArrayRef, field: &FieldRef) -> Result<ArrayRef> {
    let Some(Function::Scalar { udf, .. }) = FUNCTIONS.get("$cast_string") else {
        return Err(DataFusionError::Internal("the cast to STRING is not registered".to_owned()));
    };
    if column.data_type() == &DataType::Utf8 {
        return Ok(Arc::clone(column));
    }
    let text = udf.invoke_with_args(ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(Arc::clone(column))],
        arg_fields: vec![Arc::clone(field)],
        number_rows: column.len(),
        return_field: SqlType::Text.field(""),
        config_options: Arc::default(),
    });
    text?.into_array(column.len())
}

/// Returns NULL if any argument is NULL.
pub(crate) fn concatenate_texts(columns: &[ArrayRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let columns: Vec<_> = columns.iter().map(|column| column.as_string::<i32>()).collect();
    let rows = columns.first().map_or(0, |column| column.len());
    let mut result = StringBuilder::new();
    let mut row_text = String::new();
    for row in 0..rows {
        if columns.iter().any(|column| column.is_null(row)) {
            result.append_null();
            continue;
        }
        budget.reserve_bytes(columns.iter().map(|column| column.value(row).len()).sum())?;
        row_text.clear();
        columns.iter().for_each(|column| row_text.push_str(column.value(row)));
        result.append_value(&row_text);
    }
    Ok(Arc::new(result.finish()))
}

/// Returns NULL if any argument is NULL.
pub(crate) fn concatenate_bytes(columns: &[ArrayRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let columns: Vec<_> = columns.iter().map(|column| column.as_binary::<i32>()).collect();
    let rows = columns.first().map_or(0, |column| column.len());
    let mut result = BinaryBuilder::new();
    for row in 0..rows {
        if columns.iter().any(|column| column.is_null(row)) {
            result.append_null();
            continue;
        }
        budget.reserve_bytes(columns.iter().map(|column| column.value(row).len()).sum())?;
        result.append_value(columns.iter().map(|column| column.value(row)).collect::<Vec<_>>().concat());
    }
    Ok(Arc::new(result.finish()))
}
