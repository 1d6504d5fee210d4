//! MIN and MAX of FLOAT64. The result is NaN if a value is NaN. DataFusion orders NaN above all other
//! values, so its MIN and MAX serve only the other types.

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::group_state::{GroupState, array, downcast};

#[derive(Debug, Default)]
pub(crate) struct Extremum<const MAX: bool>(Option<f64>);

impl<const MAX: bool> Extremum<MAX> {
    fn update(&mut self, value: f64) {
        self.0 = Some(match self.0 {
            None => value,
            Some(old) if old.is_nan() || value.is_nan() => f64::NAN,
            Some(old) if (value > old) == MAX && value != old => value,
            Some(old) => old,
        });
    }
}

impl<const MAX: bool> GroupState for Extremum<MAX> {
    type Column = Float64Array;

    fn add(&mut self, column: &Float64Array, row: usize) -> Result<()> {
        self.update(column.value(row));
        Ok(())
    }

    fn state_types() -> Vec<DataType> {
        vec![DataType::Float64]
    }

    fn states(groups: Vec<Self>) -> Result<Vec<ArrayRef>> {
        Ok(vec![Self::results(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], row: usize) -> Result<()> {
        let states: &Float64Array = downcast(&states[0])?;
        if states.is_valid(row) {
            self.update(states.value(row));
        }
        Ok(())
    }

    fn results(groups: Vec<Self>) -> Result<ArrayRef> {
        Ok(array(groups.into_iter().map(|group| group.0).collect::<Float64Array>()))
    }
}
