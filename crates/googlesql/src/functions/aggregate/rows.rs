//! An aggregate that looks at all rows of its group at once.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_empty_array};
use datafusion::arrow::compute::{concat, filter};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::fold::Folding;

/// What is made of the rows: their arguments' columns, which may be empty.
#[derive(Clone, Copy)]
pub(crate) enum Summary {
    Columns(fn(&[ArrayRef]) -> Result<ScalarValue>),
    Fold(&'static dyn Folding),
}

/// The rows of one group.
pub(crate) struct GroupRows {
    types: Vec<DataType>,
    /// For each argument, its values in pieces.
    columns: Vec<Vec<ArrayRef>>,
    /// What has been seen of the first argument, if only different values count.
    seen: Option<HashSet<ScalarValue>>,
    summary: Summary,
}

/// So many small pieces are better joined.
const MOST_PIECES: usize = 256;

impl GroupRows {
    pub(crate) fn all(arguments: &[FieldRef], summary: Summary) -> GroupRows {
        let types: Vec<DataType> = arguments.iter().map(|field| field.data_type().clone()).collect();
        GroupRows { columns: vec![Vec::new(); types.len()], types, seen: None, summary }
    }

    pub(crate) fn distinct(arguments: &[FieldRef], summary: Summary) -> GroupRows {
        GroupRows { seen: Some(HashSet::new()), ..GroupRows::all(arguments, summary) }
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
        for (pieces, values) in self.columns.iter_mut().zip(values) {
            pieces.push(match &unseen {
                None => values.clone(),
                Some(unseen) => filter(values, unseen)?,
            });
            if pieces.len() > MOST_PIECES {
                *pieces = vec![joined(pieces)?];
            }
        }
        Ok(())
    }

    fn columns(&self) -> Result<Vec<ArrayRef>> {
        let column = |(pieces, data_type): (&Vec<ArrayRef>, _)| match pieces.is_empty() {
            true => Ok(new_empty_array(data_type)),
            false => joined(pieces),
        };
        self.columns.iter().zip(&self.types).map(column).collect()
    }
}

fn joined(pieces: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
}

impl Accumulator for GroupRows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let columns = self.columns()?;
        match self.summary {
            Summary::Columns(summary) => summary(&columns),
            Summary::Fold(fold) => {
                let mut fold = fold.one();
                fold.update_batch(&columns)?;
                fold.evaluate()
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
