//! `FORMAT(pattern, value, …)`, the printf of GoogleSQL. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_string>.
//!
//! The pattern is parsed once per batch ([`pattern`]). For each row, a specifier reads its arguments
//! ([`row`], [`value`]), formats them ([`number`], [`printable`] for `%t` and `%T`) and pads the result.

mod number;
mod pattern;
mod printable;
mod row;
#[cfg(test)]
mod tests;
mod value;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::Function;
use super::coerce;
use super::function_error::FunctionError;
use super::memory_budget::MemoryBudget;
use super::sql_type::SqlType;
use pattern::FormatPattern;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let format = FormatFunction { signature: Signature::user_defined(Volatility::Immutable) };
    vec![("format", Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(format)), date_part: None })]
}

/// The function FORMAT. It has no state, so all instances are equal.
#[derive(Debug)]
struct FormatFunction {
    signature: Signature,
}

impl PartialEq for FormatFunction {
    fn eq(&self, _other: &FormatFunction) -> bool {
        true
    }
}

impl Eq for FormatFunction {}

impl Hash for FormatFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "format".hash(state);
    }
}

impl ScalarUDFImpl for FormatFunction {
    fn name(&self) -> &str {
        "format"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arguments.to_vec())
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields: Vec<&Field> = arguments.arg_fields.iter().map(AsRef::as_ref).collect();
        match fields.first().and_then(|pattern| coerce::distance(pattern, false, SqlType::Text)) {
            Some(_) => Ok(SqlType::Text.field("format")),
            None => Err(coerce::no_signature_error("format", &fields).into()),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = call.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { call.number_rows };
        let mut budget = MemoryBudget::for_call(&call.config_options);
        for argument in &call.args {
            if let ColumnarValue::Scalar(value) = argument {
                budget.reserve_bytes(value.size().saturating_mul(rows))?;
            }
        }
        let arrays = call.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let Some((patterns, values)) = arrays.split_first() else {
            return Err(coerce::no_signature_error("format", &[]).into());
        };
        let patterns = coerce::convert(&ColumnarValue::Array(Arc::clone(patterns)), SqlType::Text)?.to_array(rows)?;
        let values: Vec<FormatArgument> =
            values.iter().zip(call.arg_fields.iter().skip(1)).map(|(array, field)| FormatArgument { array, field }).collect();

        let mut known: HashMap<&str, Result<FormatPattern, FunctionError>> = HashMap::new();
        let texts = patterns.as_string::<i32>().iter().enumerate().map(|(row, text)| {
            let Some(text) = text else { return Ok(None) };
            let pattern = known.entry(text).or_insert_with(|| text.parse());
            pattern.as_ref().map_err(Clone::clone)?.write(&values, row, &mut budget)
        });
        let texts: ArrayRef = Arc::new(texts.collect::<Result<StringArray, FunctionError>>()?);
        budget.finish_call(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?),
            false => ColumnarValue::Array(texts),
        })
    }
}

/// An argument column and its type.
#[derive(Clone, Copy)]
struct FormatArgument<'a> {
    array: &'a ArrayRef,
    field: &'a Field,
}

impl FormatArgument<'_> {
    fn is_null(&self, row: usize) -> bool {
        self.array.data_type().is_null() || self.array.is_null(row)
    }
}
