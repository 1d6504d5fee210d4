//! Measures the memory of aggregates whose state contains all rows.
//!
//! DataFusion asks for the size of a state before and after each batch. The states of ARRAY_AGG and of similar functions
//! compute it from all of their rows, so the time for many batches grows with the square of their number. These adapters
//! measure a state again only when its input has grown by a fixed share.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature};

/// A state is measured again when its input has grown by the inverse of this.
const GROWTH: usize = 8;

/// The result exists beside the state from which it is copied.
const COPIES: usize = 2;

/// The size of a state that only grows.
#[derive(Debug, Default)]
struct MeasuredSize {
    /// The size at the last measurement.
    measured: usize,
    /// The input's bytes until the last measurement, and since then.
    input: usize,
    added: usize,
}

impl MeasuredSize {
    fn add(&mut self, columns: &[ArrayRef], measure: impl FnOnce() -> usize) {
        let bytes = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size());
        self.added += columns.iter().map(bytes).sum::<usize>();
        if self.added.saturating_mul(GROWTH) > self.input {
            self.measured = measure();
            self.input += self.added;
            self.added = 0;
        }
    }

    fn get(&self) -> usize {
        COPIES * (self.measured + self.added)
    }
}

#[derive(Debug)]
pub(super) struct MeasuredAccumulator {
    accumulator: Box<dyn Accumulator>,
    size: MeasuredSize,
}

impl MeasuredAccumulator {
    pub(super) fn new(accumulator: Box<dyn Accumulator>) -> MeasuredAccumulator {
        MeasuredAccumulator { accumulator, size: MeasuredSize::default() }
    }
}

impl Accumulator for MeasuredAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.accumulator.update_batch(values)?;
        self.size.add(values, || self.accumulator.size());
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.accumulator.merge_batch(states)?;
        self.size.add(states, || self.accumulator.size());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.accumulator.retract_batch(values)?;
        // The next batch measures the state.
        self.size.input = 0;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        self.accumulator.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.accumulator.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.accumulator.state()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.size.get()
    }
}

struct MeasuredGroups {
    groups: Box<dyn GroupsAccumulator>,
    size: MeasuredSize,
}

impl MeasuredGroups {
    /// Measures the state after groups were removed.
    fn measure(&mut self) {
        self.size = MeasuredSize { measured: self.groups.size(), ..MeasuredSize::default() };
    }
}

impl GroupsAccumulator for MeasuredGroups {
    fn update_batch(&mut self, values: &[ArrayRef], groups: &[usize], filter: Option<&BooleanArray>, total: usize) -> Result<()> {
        self.groups.update_batch(values, groups, filter, total)?;
        self.size.add(values, || self.groups.size());
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.groups.merge_batch(states, groups, total)?;
        self.size.add(states, || self.groups.size());
        Ok(())
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        let values = self.groups.evaluate(emit)?;
        self.measure();
        Ok(values)
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        let states = self.groups.state(emit)?;
        self.measure();
        Ok(states)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.groups.convert_to_state(values, filter)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.size.get()
    }
}

/// Wraps an aggregate function of DataFusion.
pub(super) fn measured(function: Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    Arc::new(AggregateUDF::new_from_impl(MeasuredAggregate(function)))
}

#[derive(Debug)]
struct MeasuredAggregate(Arc<AggregateUDF>);

impl PartialEq for MeasuredAggregate {
    fn eq(&self, other: &MeasuredAggregate) -> bool {
        self.0 == other.0
    }
}

impl Eq for MeasuredAggregate {}

impl Hash for MeasuredAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl AggregateUDFImpl for MeasuredAggregate {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn return_field(&self, fields: &[FieldRef]) -> Result<FieldRef> {
        self.0.inner().return_field(fields)
    }

    fn is_nullable(&self) -> bool {
        self.0.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(MeasuredAccumulator::new(self.0.accumulator(args)?)))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(MeasuredAccumulator::new(self.0.create_sliding_accumulator(args)?)))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(MeasuredGroups { groups: self.0.create_groups_accumulator(args)?, size: MeasuredSize::default() }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn with_beneficial_ordering(self: Arc<Self>, is_ordered: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let ordered = self.0.as_ref().clone().with_beneficial_ordering(is_ordered)?;
        Ok(ordered.map(|function| Arc::new(MeasuredAggregate(Arc::new(function))) as Arc<dyn AggregateUDFImpl>))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        match self.0.reverse_udf() {
            ReversedUDAF::Reversed(function) => ReversedUDAF::Reversed(measured(function)),
            other => other,
        }
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(types)
    }

    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.0.default_value(data_type)
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.0.supports_null_handling_clause()
    }
}
