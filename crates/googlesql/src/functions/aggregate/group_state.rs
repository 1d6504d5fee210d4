//! Aggregates with a fixed-size state per group, and their adapters to DataFusion's accumulators.
//!
//! The same state serves one group (`Accumulator`) and many groups (`GroupsAccumulator`).

use std::fmt::Debug;
use std::marker::PhantomData;
use std::mem::{size_of, take};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::kernels::boolean::{and, is_not_null};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// The state of a group. DataFusion's NULL arguments are skipped before `add`.
pub(crate) trait GroupState: Default + Debug + Send + Sync + 'static {
    type Column: Array + 'static;

    fn add(&mut self, column: &Self::Column, row: usize) -> Result<()>;

    /// The types of the state's columns between the stages of an aggregation.
    fn state_types() -> Vec<DataType>;
    fn states(groups: Vec<Self>) -> Result<Vec<ArrayRef>>;
    fn merge(&mut self, states: &[ArrayRef], row: usize) -> Result<()>;

    fn results(groups: Vec<Self>) -> Result<ArrayRef>;
}

/// Downcasts the array to the type that coercion guarantees.
pub(crate) fn downcast<A: 'static>(array: &ArrayRef) -> Result<&A> {
    match array.as_any().downcast_ref() {
        Some(array) => Ok(array),
        None => internal_err!("unexpected column type {} in an aggregate", array.data_type()),
    }
}

/// Creates accumulators for a [`GroupState`] type.
pub(crate) trait AccumulatorFactory: Debug + Send + Sync {
    fn state_types(&self) -> Vec<DataType>;
    fn create_accumulator(&self) -> Box<dyn Accumulator>;
    fn create_groups_accumulator(&self) -> Box<dyn GroupsAccumulator>;
}

/// The factory of a [`GroupState`] type.
#[derive(Debug)]
pub(crate) struct StateFactory<F>(PhantomData<F>);

impl<F: GroupState> StateFactory<F> {
    pub(crate) const FACTORY: &'static dyn AccumulatorFactory = &StateFactory::<F>(PhantomData);
}

impl<F: GroupState> AccumulatorFactory for StateFactory<F> {
    fn state_types(&self) -> Vec<DataType> {
        F::state_types()
    }

    fn create_accumulator(&self) -> Box<dyn Accumulator> {
        Box::new(StateAccumulator::<F>::default())
    }

    fn create_groups_accumulator(&self) -> Box<dyn GroupsAccumulator> {
        Box::new(StateGroupsAccumulator::<F> { groups: Vec::new() })
    }
}

#[derive(Debug, Default)]
struct StateAccumulator<F>(F);

impl<F: GroupState> Accumulator for StateAccumulator<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column: &F::Column = downcast(&values[0])?;
        (0..column.len()).filter(|&row| column.is_valid(row)).try_for_each(|row| self.0.add(column, row))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // DataFusion can call this again after more rows, so the state must remain: copy it.
        let states = F::states(vec![take(&mut self.0)])?;
        self.0.merge(&states, 0)?;
        let mut copy = F::default();
        copy.merge(&states, 0)?;
        ScalarValue::try_from_array(&F::results(vec![copy])?, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        F::states(vec![take(&mut self.0)])?.iter().map(|state| ScalarValue::try_from_array(state, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        (0..states[0].len()).try_for_each(|row| self.0.merge(states, row))
    }
}

struct StateGroupsAccumulator<F> {
    groups: Vec<F>,
}

impl<F: GroupState> GroupsAccumulator for StateGroupsAccumulator<F> {
    fn update_batch(&mut self, values: &[ArrayRef], groups: &[usize], filter: Option<&BooleanArray>, total: usize) -> Result<()> {
        self.groups.resize_with(total, F::default);
        let column: &F::Column = downcast(&values[0])?;
        match included_rows(column, filter)? {
            None => groups.iter().enumerate().try_for_each(|(row, &group)| self.groups[group].add(column, row)),
            Some(mask) => mask.values().set_indices().try_for_each(|row| self.groups[groups[row]].add(column, row)),
        }
    }

    fn evaluate(&mut self, emit: EmitTo) -> Result<ArrayRef> {
        F::results(emit.take_needed(&mut self.groups))
    }

    fn state(&mut self, emit: EmitTo) -> Result<Vec<ArrayRef>> {
        F::states(emit.take_needed(&mut self.groups))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.groups.resize_with(total, F::default);
        groups.iter().enumerate().try_for_each(|(row, &group)| self.groups[group].merge(states, row))
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let column: &F::Column = downcast(&values[0])?;
        let mask = included_rows(column, filter)?;
        let mut groups = Vec::with_capacity(column.len());
        for row in 0..column.len() {
            let mut group = F::default();
            if mask.as_ref().is_none_or(|mask| mask.value(row)) {
                group.add(column, row)?;
            }
            groups.push(group);
        }
        F::states(groups)
    }

    fn size(&self) -> usize {
        self.groups.capacity() * size_of::<F>()
    }
}

/// Returns a mask of the rows that are not NULL and pass the filter, or none if all rows qualify.
fn included_rows(column: &dyn Array, filter: Option<&BooleanArray>) -> Result<Option<BooleanArray>> {
    let filter = filter.map(|filter| match filter.nulls() {
        Some(nulls) => BooleanArray::new(filter.values() & nulls.inner(), None),
        None => filter.clone(),
    });
    Ok(match (column.null_count() > 0, filter) {
        (false, filter) => filter,
        (true, None) => Some(is_not_null(column)?),
        (true, Some(filter)) => Some(and(&is_not_null(column)?, &filter)?),
    })
}

/// Collects the columns of a state.
pub(crate) fn columns(arrays: impl IntoIterator<Item = ArrayRef>) -> Vec<ArrayRef> {
    arrays.into_iter().collect()
}

pub(crate) fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}
