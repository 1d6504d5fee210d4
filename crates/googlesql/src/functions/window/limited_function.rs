//! A window function whose results count against the memory of the query.
//!
//! DataFusion collects one result for each row before it counts their memory. `FIRST_VALUE(x) OVER ()` has a copy of the
//! first value for each row.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::function::{ExpressionArgs, PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::window_state::WindowAggState;
use datafusion::logical_expr::{LimitEffect, PartitionEvaluator, ReversedUDWF, Signature, WindowUDF, WindowUDFImpl};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use crate::query_limits::QueryLimits;

/// Shorter default values of LAG and LEAD are not counted.
const MIN_DEFAULT_BYTES: usize = 1024;

/// Wraps a window function.
pub(crate) fn limited_function(function: Arc<WindowUDF>, limits: &Arc<QueryLimits>) -> Arc<WindowUDF> {
    Arc::new(WindowUDF::new_from_impl(LimitedFunction { function, limits: Arc::clone(limits) }))
}

/// Equality and hash use the wrapped function.
#[derive(Debug)]
struct LimitedFunction {
    function: Arc<WindowUDF>,
    limits: Arc<QueryLimits>,
}

impl WindowUDFImpl for LimitedFunction {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn expressions(&self, args: ExpressionArgs) -> Vec<Arc<dyn PhysicalExpr>> {
        self.function.inner().expressions(args)
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        let results = self.limits.reservation();
        let is_shift = ["lag", "lead"].contains(&self.name());
        if is_shift {
            results.try_grow(default_bytes(args.input_exprs()))?;
        }
        let evaluator = self.function.inner().partition_evaluator(args)?;
        Ok(Box::new(LimitedEvaluator { evaluator, limits: Arc::clone(&self.limits), results, is_shift }))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        self.function.inner().field(args)
    }

    fn sort_options(&self) -> Option<SortOptions> {
        self.function.inner().sort_options()
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.inner().coerce_types(types)
    }

    fn reverse_expr(&self) -> ReversedUDWF {
        match self.function.inner().reverse_expr() {
            ReversedUDWF::Reversed(reversed) => ReversedUDWF::Reversed(limited_function(reversed, &self.limits)),
            other => other,
        }
    }

    fn limit_effect(&self, args: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        self.function.inner().limit_effect(args)
    }
}

impl PartialEq for LimitedFunction {
    fn eq(&self, other: &LimitedFunction) -> bool {
        self.function == other.function
    }
}

impl Eq for LimitedFunction {}

impl Hash for LimitedFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
    }
}

#[derive(Debug)]
struct LimitedEvaluator {
    evaluator: Box<dyn PartitionEvaluator>,
    limits: Arc<QueryLimits>,
    /// The memory of the results. It is released when the partition is complete.
    results: MemoryReservation,
    /// Whether the values are those of other rows. All of them together are not larger than the input.
    is_shift: bool,
}

impl PartitionEvaluator for LimitedEvaluator {
    fn memoize(&mut self, state: &mut WindowAggState) -> Result<()> {
        self.evaluator.memoize(state)
    }

    fn get_range(&self, index: usize, rows: usize) -> Result<Range<usize>> {
        self.evaluator.get_range(index, rows)
    }

    fn is_causal(&self) -> bool {
        self.evaluator.is_causal()
    }

    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.evaluator.evaluate_all(values, rows)
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        self.limits.check_cancelled()?;
        let value = self.evaluator.evaluate(values, range)?;
        if !self.is_shift {
            // The value, and its part of the column that the values become.
            self.results.try_grow(value_bytes(&value).saturating_mul(2))?;
        }
        Ok(value)
    }

    fn evaluate_all_with_rank(&self, rows: usize, ranks: &[Range<usize>]) -> Result<ArrayRef> {
        self.evaluator.evaluate_all_with_rank(rows, ranks)
    }

    fn supports_bounded_execution(&self) -> bool {
        self.evaluator.supports_bounded_execution()
    }

    fn uses_window_frame(&self) -> bool {
        self.evaluator.uses_window_frame()
    }

    fn include_rank(&self) -> bool {
        self.evaluator.include_rank()
    }
}

/// Bytes of all copies of the default value of LAG and LEAD. A short value is not counted.
fn default_bytes(arguments: &[Arc<dyn PhysicalExpr>]) -> usize {
    let literal = |index: usize| arguments.get(index).and_then(|argument| argument.downcast_ref::<Literal>()).map(Literal::value);
    match (literal(1), literal(2).map(value_bytes)) {
        (Some(ScalarValue::Int64(Some(offset))), Some(bytes)) if bytes >= MIN_DEFAULT_BYTES => {
            bytes.saturating_mul(usize::try_from(*offset).unwrap_or(0))
        }
        _ => 0,
    }
}

/// Bytes of the value beside its Rust value, which the node counts.
fn value_bytes(value: &ScalarValue) -> usize {
    value.size().saturating_sub(size_of::<ScalarValue>())
}
