//! `FORMAT(pattern, value, …)`: printf for GoogleSQL's types.
//!
//! The path of a row: its pattern is read once per batch ([`pattern`]), every specifier takes its
//! arguments ([`row`], [`value`]) and writes them ([`number`], [`printable`] for `%t` and `%T`), and is padded
//! to its width. <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_string>.

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
use super::kind::Kind;
use pattern::FormatPattern;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let format = Format { signature: Signature::user_defined(Volatility::Immutable) };
    vec![("format", Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(format)), part: None })]
}

/// There is one of it.
#[derive(Debug)]
struct Format {
    signature: Signature,
}

impl PartialEq for Format {
    fn eq(&self, _other: &Format) -> bool {
        true
    }
}

impl Eq for Format {}

impl Hash for Format {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "format".hash(state);
    }
}

impl ScalarUDFImpl for Format {
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
        match fields.first().and_then(|pattern| coerce::distance(pattern, false, Kind::Text)) {
            Some(_) => Ok(Kind::Text.field("format")),
            None => Err(coerce::no_signature("format", &fields).into()),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = call.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { call.number_rows };
        let arrays = call.args.iter().map(|argument| argument.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let Some((patterns, values)) = arrays.split_first() else {
            return Err(coerce::no_signature("format", &[]).into());
        };
        let patterns = coerce::convert(&ColumnarValue::Array(Arc::clone(patterns)), Kind::Text)?.to_array(rows)?;
        let values: Vec<Argument> =
            values.iter().zip(call.arg_fields.iter().skip(1)).map(|(array, field)| Argument { array, field }).collect();

        let mut known: HashMap<&str, Result<FormatPattern, FunctionError>> = HashMap::new();
        let texts = patterns.as_string::<i32>().iter().enumerate().map(|(row, text)| {
            let Some(text) = text else { return Ok(None) };
            let pattern = known.entry(text).or_insert_with(|| text.parse());
            pattern.as_ref().map_err(Clone::clone)?.write(&values, row)
        });
        let texts: ArrayRef = Arc::new(texts.collect::<Result<StringArray, FunctionError>>()?);
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&texts, 0)?),
            false => ColumnarValue::Array(texts),
        })
    }
}

/// A column to be formatted.
#[derive(Clone, Copy)]
struct Argument<'a> {
    array: &'a ArrayRef,
    field: &'a Field,
}

impl Argument<'_> {
    fn is_null(&self, row: usize) -> bool {
        self.array.data_type().is_null() || self.array.is_null(row)
    }
}
