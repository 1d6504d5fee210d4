//! Aggregates that need all rows of a group.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_empty_array};
use datafusion::arrow::compute::{concat, filter};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::group_state::AccumulatorFactory;

/// Computes the result from the argument columns, which can be empty.
#[derive(Clone, Copy)]
pub(crate) enum GroupFunction {
    Columns(fn(&[ArrayRef]) -> Result<ScalarValue>),
    Incremental(&'static dyn AccumulatorFactory),
}

pub(crate) struct GroupRows {
    types: Vec<DataType>,
    /// The values of each argument, as a list of arrays.
    columns: Vec<Vec<ArrayRef>>,
    /// The distinct values of the first argument, for DISTINCT.
    seen: Option<HashSet<ScalarValue>>,
    function: GroupFunction,
}

/// The number of arrays per argument above which they are concatenated.
const MAX_ARRAYS: usize = 256;

impl GroupRows {
    pub(crate) fn all(arguments: &[FieldRef], function: GroupFunction) -> GroupRows {
        let types: Vec<DataType> = arguments.iter().map(|field| field.data_type().clone()).collect();
        GroupRows { columns: vec![Vec::new(); types.len()], types, seen: None, function }
    }

    pub(crate) fn distinct(arguments: &[FieldRef], function: GroupFunction) -> GroupRows {
        GroupRows { seen: Some(HashSet::new()), ..GroupRows::all(arguments, function) }
    }

    /// One array per argument.
    pub(crate) fn state_types(arguments: &[FieldRef]) -> Vec<DataType> {
        arguments.iter().map(|field| DataType::List(Field::new_list_field(field.data_type().clone(), true).into())).collect()
    }

    fn add(&mut self, values: &[ArrayRef]) -> Result<()> {
        let unseen = match &mut self.seen {
            None => None,
            Some(seen) => Some(
                (0..values[0].len())
                    .map(|row| Ok(Some(seen.insert(ScalarValue::try_from_array(&values[0], row)?))))
                    .collect::<Result<BooleanArray>>()?,
            ),
        };
        for (arrays, values) in self.columns.iter_mut().zip(values) {
            arrays.push(match &unseen {
                None => values.clone(),
                Some(unseen) => filter(values, unseen)?,
            });
            if arrays.len() > MAX_ARRAYS {
                *arrays = vec![concat_arrays(arrays)?];
            }
        }
        Ok(())
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let column = |(arrays, data_type): (&Vec<ArrayRef>, _)| match arrays.is_empty() {
            true => Ok(new_empty_array(data_type)),
            false => concat_arrays(arrays),
        };
        self.columns.iter().zip(&self.types).map(column).collect()
    }
}

fn concat_arrays(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
}

impl Accumulator for GroupRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let columns = self.columns()?;
        match self.function {
            GroupFunction::Columns(function) => function(&columns),
            GroupFunction::Incremental(factory) => {
                let mut accumulator = factory.create_accumulator();
                accumulator.update_batch(&columns)?;
                accumulator.evaluate()
            }
        }
    }

    fn size(&self) -> usize {
        let bytes = |array: &ArrayRef| array.get_array_memory_size();
        let seen = self.seen.iter().flatten().map(ScalarValue::size).sum::<usize>();
        size_of::<Self>() + seen + self.columns.iter().flatten().map(bytes).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.columns()?.into_iter().map(|column| SingleRowListArrayBuilder::new(column).build_list_scalar()).collect())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in 0..states[0].len() {
            if states[0].is_valid(row) {
                self.add(&states.iter().map(|state| state.as_list::<i32>().value(row)).collect::<Vec<_>>())?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for GroupRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupRows").field("types", &self.types).finish_non_exhaustive()
    }
}
