//! An aggregate function as a window function whose results count against the memory of the query.
//!
//! DataFusion collects one result for each row before it counts their memory. `ARRAY_AGG(x) OVER (ORDER BY x)` has an
//! array of all earlier rows for each row.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature};

use super::recomputing_accumulator::OwnedAccumulatorArgs;
use crate::query_limits::QueryLimits;

/// Wraps an aggregate function. `is_whole_partition` is true if all rows of a partition have the same result, which
/// DataFusion then computes once and copies.
pub(crate) fn limited_window(function: Arc<AggregateUDF>, limits: &Arc<QueryLimits>, is_whole_partition: bool) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(LimitedWindow { function, limits: Arc::clone(limits), is_whole_partition }))
}

/// Equality and hash use the wrapped function.
#[derive(Debug)]
struct LimitedWindow {
    function: Arc<AggregateUDF>,
    limits: Arc<QueryLimits>,
    is_whole_partition: bool,
}

impl LimitedWindow {
    fn limit(&self, accumulator: Box<dyn Accumulator>, compaction: Option<Compaction>) -> Box<dyn Accumulator> {
        let (state, results) = (self.limits.reservation(), self.limits.reservation());
        Box::new(LimitedAccumulator {
            accumulator,
            compaction,
            limits: Arc::clone(&self.limits),
            state,
            results,
            is_whole_partition: self.is_whole_partition,
            rows: 0,
        })
    }
}

impl AggregateUDFImpl for LimitedWindow {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.function.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.function.inner().return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.function.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let collects_rows = ["array_agg", "array_concat_agg", "string_agg"].contains(&self.name());
        let compaction = collects_rows.then(|| Compaction {
            function: Arc::clone(&self.function),
            arguments: OwnedAccumulatorArgs::new(&args),
            updates: 0,
        });
        Ok(self.limit(self.function.accumulator(args)?, compaction))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(self.limit(self.function.create_sliding_accumulator(args)?, None))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.function.state_fields(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.inner().coerce_types(types)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.function.default_value(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.function.inner().supports_null_handling_clause()
    }
}

impl PartialEq for LimitedWindow {
    fn eq(&self, other: &LimitedWindow) -> bool {
        self.function == other.function && self.is_whole_partition == other.is_whole_partition
    }
}

impl Eq for LimitedWindow {}

impl Hash for LimitedWindow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
    }
}

/// The number of updates after which a state is compacted.
const MAX_UPDATES: usize = 64;

/// Compacts the state of a function that collects the rows. A growing frame adds its rows one by one, and the state would
/// be a list of as many arrays, which each result joins again.
#[derive(Debug)]
struct Compaction {
    function: Arc<AggregateUDF>,
    arguments: OwnedAccumulatorArgs,
    updates: usize,
}

impl Compaction {
    fn count_update(&mut self, accumulator: &mut Box<dyn Accumulator>) -> Result<()> {
        self.updates += 1;
        if !self.updates.is_multiple_of(MAX_UPDATES) {
            return Ok(());
        }
        let arguments = self.arguments.borrowed();
        let is_text = self.function.name() == "string_agg" && !arguments.is_distinct && arguments.order_bys.is_empty();
        if is_text {
            // The text of the rows so far, as one row.
            let text = vec![accumulator.evaluate()?.to_array()?; arguments.exprs.len()];
            *accumulator = self.function.accumulator(arguments)?;
            return accumulator.update_batch(&text);
        }
        let state = accumulator.state()?.iter().map(ScalarValue::to_array).collect::<Result<Vec<_>>>()?;
        *accumulator = self.function.accumulator(arguments)?;
        accumulator.merge_batch(&state)
    }
}

#[derive(Debug)]
struct LimitedAccumulator {
    accumulator: Box<dyn Accumulator>,
    compaction: Option<Compaction>,
    limits: Arc<QueryLimits>,
    /// The memory of the frame's rows.
    state: MemoryReservation,
    /// The memory of the results. It is released when the partition is complete.
    results: MemoryReservation,
    is_whole_partition: bool,
    rows: usize,
}

impl Accumulator for LimitedAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.rows += values.first().map_or(0, |column| column.len());
        self.accumulator.update_batch(values)?;
        match &mut self.compaction {
            Some(compaction) => compaction.count_update(&mut self.accumulator),
            None => Ok(()),
        }
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.accumulator.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.accumulator.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.limits.check_cancelled()?;
        self.state.try_resize(self.accumulator.size())?;
        let value = self.accumulator.evaluate()?;
        let copies = if self.is_whole_partition { self.rows } else { 1 };
        // The values, and the column that they become.
        self.results.try_grow(value.size().saturating_mul(copies).saturating_mul(2))?;
        Ok(value)
    }

    fn size(&self) -> usize {
        self.accumulator.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.accumulator.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.accumulator.merge_batch(states)
    }
}
