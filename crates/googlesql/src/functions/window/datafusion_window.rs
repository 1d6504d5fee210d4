//! Adapter for DataFusion's window functions. It converts unsigned results to INT64 and rejects negative
//! arguments, which DataFusion interprets differently.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use super::super::function_error::FunctionError;

/// The conversion of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResultConversion {
    Unchanged,
    /// Convert to INT64.
    ToInt64,
}

/// The argument index that must be a constant, with its lower bound.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ConstantArgument {
    None,
    NotNegative(usize),
    Positive(usize),
}

/// A window function of DataFusion. Equality and hash use the name.
#[derive(Debug)]
pub(crate) struct DataFusionWindowFunction {
    pub(crate) name: &'static str,
    function: Arc<WindowUDF>,
    result: ResultConversion,
    constant: ConstantArgument,
}

impl DataFusionWindowFunction {
    pub(crate) fn new(
        name: &'static str,
        function: Arc<WindowUDF>,
        result: ResultConversion,
        constant: ConstantArgument,
    ) -> DataFusionWindowFunction {
        DataFusionWindowFunction { name, function, result, constant }
    }

    fn check_constant(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> error::Result<()> {
        let (index, lower_bound) = match self.constant {
            ConstantArgument::None => return Ok(()),
            ConstantArgument::NotNegative(index) => (index, 0),
            ConstantArgument::Positive(index) => (index, 1),
        };
        let Some(argument) = arguments.get(index) else { return Ok(()) };
        let name = self.name.to_uppercase();
        let number = match argument.downcast_ref::<Literal>().map(Literal::value) {
            Some(ScalarValue::Int64(Some(number))) => *number,
            Some(ScalarValue::Int64(None) | ScalarValue::Null) => {
                return Err(FunctionError::new(format!("Argument {} to {name} must not be null", index + 1)).into());
            }
            _ => return Err(FunctionError::new(format!("Argument {} to {name} must be a literal or query parameter", index + 1)).into()),
        };
        if number < lower_bound {
            return Err(FunctionError::new(format!("Argument {} to {name} must be at least {lower_bound}, got {number}", index + 1)).into());
        }
        Ok(())
    }
}

impl PartialEq for DataFusionWindowFunction {
    fn eq(&self, other: &DataFusionWindowFunction) -> bool {
        self.name == other.name
    }
}

impl Eq for DataFusionWindowFunction {}

impl Hash for DataFusionWindowFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl WindowUDFImpl for DataFusionWindowFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn expressions(&self, args: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.function.inner().expressions(args)
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> error::Result<Box<dyn PartitionEvaluator>> {
        self.check_constant(args.input_exprs())?;
        let evaluator = self.function.inner().partition_evaluator(args)?;
        Ok(match self.result {
            ResultConversion::Unchanged => evaluator,
            ResultConversion::ToInt64 => Box::new(Int64Evaluator(evaluator)),
        })
    }

    fn field(&self, args: WindowUDFFieldArgs) -> error::Result<FieldRef> {
        match self.result {
            ResultConversion::Unchanged => self.function.inner().field(args),
            ResultConversion::ToInt64 => Ok(Arc::new(Field::new(args.name(), DataType::Int64, false))),
        }
    }

    fn coerce_types(&self, types: &[DataType]) -> error::Result<Vec<DataType>> {
        self.function.inner().coerce_types(types)
    }

    /// DataFusion can reverse a function only if its result and arguments need no adaptation.
    fn reverse_expr(&self) -> ReversedUDWF {
        match (self.result, self.constant) {
            (ResultConversion::Unchanged, ConstantArgument::None) => self.function.inner().reverse_expr(),
            _ => ReversedUDWF::NotSupported,
        }
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.function.inner().limit_effect(args)
    }
}

/// Converts results to INT64.
#[derive(Debug)]
struct Int64Evaluator(Box<dyn PartitionEvaluator>);

impl PartitionEvaluator for Int64Evaluator {
    fn memoize(&mut self, state: &mut WindowAggState) -> error::Result<()> {
        self.0.memoize(state)
    }

    fn get_range(&self, index: usize, rows: usize) -> error::Result<Range<usize>> {
        self.0.get_range(index, rows)
    }

    fn is_causal(&self) -> bool {
        self.0.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> error::Result<ArrayRef> {
        Ok(cast(&self.0.evaluate_all(values, rows)?, &DataType::Int64)?)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> error::Result<ScalarValue> {
        self.0.evaluate(values, range)?.cast_to(&DataType::Int64)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> error::Result<ArrayRef> {
        Ok(cast(&self.0.evaluate_all_with_rank(rows, ranks)?, &DataType::Int64)?)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.0.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.0.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.0.include_rank()
    }
}
