//! The `SAFE.` prefix: a row with an error has the result NULL.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, new_empty_array, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use super::function_error::FunctionError;

/// Wraps the function so that evaluation errors become NULL. Type errors remain errors.
pub(crate) fn safe(udf: &ScalarUDF) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(SafeFunction { name: format!("safe.{}", udf.name()), function: udf.clone() }))
}

/// Equality and hash use the wrapped function.
#[derive(Debug)]
struct SafeFunction {
    name: String,
    function: ScalarUDF,
}

impl ScalarUDFImpl for SafeFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        match self.function.invoke_with_args(args.clone()) {
            Err(error) if is_evaluation_error(&error) => {}
            result => return result,
        }
        // A row fails: evaluate the rows one by one.
        let constant = args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let results = (0..if constant { 1 } else { rows }).map(|row| self.evaluate_row(&args, row)).collect::<Result<Vec<_>>>()?;
        let column = match results.is_empty() {
            true => new_empty_array(args.return_field.data_type()),
            false => concat(&results.iter().map(AsRef::as_ref).collect::<Vec<_>>())?,
        };
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&column, 0)?),
            false => ColumnarValue::Array(column),
        })
    }
}

impl SafeFunction {
    fn evaluate_row(&self, args: &ScalarFunctionArgs, row: usize) -> Result<ArrayRef> {
        let argument = |argument: &ColumnarValue| match argument {
            ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(row, 1)),
            constant @ ColumnarValue::Scalar(_) => constant.clone(),
        };
        let args = ScalarFunctionArgs { args: args.args.iter().map(argument).collect(), number_rows: 1, ..args.clone() };
        let returns = args.return_field.data_type().clone();
        match self.function.invoke_with_args(args) {
            Ok(result) => result.into_array(1),
            Err(error) if is_evaluation_error(&error) => Ok(new_null_array(&returns, 1)),
            Err(error) => Err(error),
        }
    }
}

/// Whether the values cause the error. Other errors are limits of memory and defects of the engine.
fn is_evaluation_error(error: &DataFusionError) -> bool {
    match error {
        DataFusionError::External(cause) => {
            cause.downcast_ref::<FunctionError>().is_some_and(|error| *error != FunctionError::resources_exceeded())
        }
        DataFusionError::Context(_, cause) | DataFusionError::Diagnostic(_, cause) => is_evaluation_error(cause),
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => true,
        _ => false,
    }
}

impl PartialEq for SafeFunction {
    fn eq(&self, other: &SafeFunction) -> bool {
        self.function == other.function
    }
}

impl Eq for SafeFunction {}

impl Hash for SafeFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_eval::{eval, eval_over};

    #[test]
    fn safe_returns_null_for_errors() {
        assert_eq!(eval("\"safe.substr\"('foo', 0, -2)"), "NULL");
        assert_eq!(eval("\"safe.ln\"(0)"), "NULL");
        assert_eq!(eval("\"safe.ln\"(1)"), "0.0");
        assert_eq!(eval_over("'xyz'", "\"safe.from_hex\"(x)"), "NULL");
        assert_eq!(eval("\"safe.regexp_contains\"('a', '(')"), "NULL");
    }

    #[test]
    fn safe_keeps_the_values_of_other_rows() {
        let rows = "FROM (SELECT \"safe.ln\"(x) AS y, x FROM (VALUES (0), (1), (NULL), (-1), (1)) AS t(x)) AS u";
        assert_eq!(eval(&format!("count(y) {rows}")), "2");
        assert_eq!(eval(&format!("array_agg(y ORDER BY x) {rows} WHERE x >= 0")), "[NULL, 0.0, 0.0]");
    }

    #[test]
    fn safe_keeps_type_errors() {
        assert_eq!(eval("\"safe.length\"(1)"), "Err: No matching signature for function LENGTH for argument types: INT64");
    }
}
