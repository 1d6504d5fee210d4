//! An aggregate that keeps a few numbers per group, and what DataFusion asks of one.
//!
//! The same code serves a whole group (`Accumulator`) and many groups at once
//! (`GroupsAccumulator`), which is what makes a GROUP BY over millions of rows fast.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::mem::{size_of, take};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::kernels::boolean::{and, is_not_null};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// What is known of a group. A NULL never reaches it.
pub(crate) trait Fold: Default + Debug + Send + Sync + 'static {
    type Column: Array + 'static;

    fn add(&mut self, column: &Self::Column, row: usize) -> Result<()>;

    /// How it travels between the stages of an aggregation.
    fn state_types() -> Vec<DataType>;
    fn states(groups: Vec<Self>) -> Result<Vec<ArrayRef>>;
    fn merge(&mut self, states: &[ArrayRef], row: usize) -> Result<()>;

    fn results(groups: Vec<Self>) -> Result<ArrayRef>;
}

/// The array as the type that the coercion has made it.
pub(crate) fn typed<A: 'static>(array: &ArrayRef) -> Result<&A> {
    match array.as_any().downcast_ref() {
        Some(array) => Ok(array),
        None => internal_err!("an aggregate got a column of {}", array.data_type()),
    }
}

/// A [`Fold`] whose type has been forgotten.
pub(crate) trait Folding: Debug + Send + Sync {
    fn state_types(&self) -> Vec<DataType>;
    fn one(&self) -> Box<dyn Accumulator>;
    fn many(&self) -> Box<dyn GroupsAccumulator>;
}

/// Names a [`Fold`] type where a value is needed.
#[derive(Debug)]
pub(crate) struct Of<F>(PhantomData<F>);

impl<F: Fold> Of<F> {
    pub(crate) const FOLD: &'static dyn Folding = &Of::<F>(PhantomData);
}

impl<F: Fold> Folding for Of<F> {
    fn state_types(&self) -> Vec<DataType> {
        F::state_types()
    }

    fn one(&self) -> Box<dyn Accumulator> {
        Box::new(One::<F>::default())
    }

    fn many(&self) -> Box<dyn GroupsAccumulator> {
        Box::new(Many::<F> { groups: Vec::new() })
    }
}

#[derive(Debug, Default)]
struct One<F>(F);

impl<F: Fold> Accumulator for One<F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column: &F::Column = typed(&values[0])?;
        (0..column.len()).filter(|&row| column.is_valid(row)).try_for_each(|row| self.0.add(column, row))
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // A copy by way of the state: the value may be asked for again after more rows.
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

struct Many<F> {
    groups: Vec<F>,
}

impl<F: Fold> GroupsAccumulator for Many<F> {
    fn update_batch(&mut self, values: &[ArrayRef], groups: &[usize], filter: Option<&BooleanArray>, total: usize) -> Result<()> {
        self.groups.resize_with(total, F::default);
        let column: &F::Column = typed(&values[0])?;
        match wanted(column, filter)? {
            None => groups.iter().enumerate().try_for_each(|(row, &group)| self.groups[group].add(column, row)),
            Some(wanted) => wanted.values().set_indices().try_for_each(|row| self.groups[groups[row]].add(column, row)),
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
        let column: &F::Column = typed(&values[0])?;
        let wanted = wanted(column, filter)?;
        let mut groups = Vec::with_capacity(column.len());
        for row in 0..column.len() {
            let mut group = F::default();
            if wanted.as_ref().is_none_or(|wanted| wanted.value(row)) {
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

/// The rows that are neither NULL nor filtered away; none if that is every row.
fn wanted(column: &dyn Array, filter: Option<&BooleanArray>) -> Result<Option<BooleanArray>> {
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

/// One array per state.
pub(crate) fn columns(arrays: impl IntoIterator<Item = ArrayRef>) -> Vec<ArrayRef> {
    arrays.into_iter().collect()
}

/// Shorthand of an array behind its pointer.
pub(crate) fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}
