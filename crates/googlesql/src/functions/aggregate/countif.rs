//! COUNTIF: the number of TRUE values.

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::group_state::{GroupState, array, downcast};

#[derive(Debug, Default)]
pub(crate) struct CountIfState(i64);

impl GroupState for CountIfState {
    type Column = BooleanArray;

    fn add(&mut self, column: &BooleanArray, row: usize) -> Result<()> {
        self.0 += i64::from(column.value(row));
        Ok(())
    }

    fn state_types() -> Vec<DataType> {
        vec![DataType::Int64]
    }

    fn states(groups: Vec<Self>) -> Result<Vec<ArrayRef>> {
        Ok(vec![Self::results(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], row: usize) -> Result<()> {
        self.0 += downcast::<Int64Array>(&states[0])?.value(row);
        Ok(())
    }

    fn results(groups: Vec<Self>) -> Result<ArrayRef> {
        Ok(array(Int64Array::from_iter_values(groups.iter().map(|group| group.0))))
    }
}
