//! A chain of binary operators as one function: `a + b - c` is `(a + b) - c`.
//!
//! DataFusion's time for an expression grows with the cube of its depth. A chain has the depth 1.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Combines the operators. The first operand is the left operand of the first operator. Each other operand is the right
/// operand of the next operator.
pub(crate) fn operator_chain(operators: Vec<Arc<ScalarUDF>>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(OperatorChain { operators, signature: Signature::user_defined(Volatility::Immutable) }))
}

#[derive(Debug)]
struct OperatorChain {
    operators: Vec<Arc<ScalarUDF>>,
    signature: Signature,
}

impl OperatorChain {
    /// The operators with the index of their right operand.
    fn steps(&self) -> impl Iterator<Item = (usize, &Arc<ScalarUDF>)> {
        (1..).zip(&self.operators)
    }
}

impl ScalarUDFImpl for OperatorChain {
    fn name(&self) -> &str {
        "$operators"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(DataFusionError::Internal("a chain of operators requires argument fields to determine its type".to_owned()))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let mut field = Arc::clone(&args.arg_fields[0]);
        let mut literal = args.scalar_arguments[0];
        for (index, operator) in self.steps() {
            field = operator.return_field_from_args(ReturnFieldArgs {
                arg_fields: &[field, Arc::clone(&args.arg_fields[index])],
                scalar_arguments: &[literal, args.scalar_arguments[index]],
            })?;
            literal = None;
        }
        Ok(field)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let (mut value, mut field) = (args.args[0].clone(), Arc::clone(&args.arg_fields[0]));
        for (index, operator) in self.steps() {
            let arg_fields = vec![field, Arc::clone(&args.arg_fields[index])];
            let return_field =
                operator.return_field_from_args(ReturnFieldArgs { arg_fields: &arg_fields, scalar_arguments: &[None, None] })?;
            value = operator.invoke_with_args(ScalarFunctionArgs {
                args: vec![value, args.args[index].clone()],
                arg_fields,
                number_rows: args.number_rows,
                return_field: Arc::clone(&return_field),
                config_options: Arc::clone(&args.config_options),
            })?;
            field = return_field;
        }
        Ok(value)
    }
}

impl PartialEq for OperatorChain {
    fn eq(&self, other: &OperatorChain) -> bool {
        self.operators == other.operators
    }
}

impl Eq for OperatorChain {}

impl Hash for OperatorChain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.operators.hash(state);
    }
}
