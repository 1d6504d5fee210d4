//! MIN and MAX of FLOAT64, which are NaN as soon as one value is. (DataFusion's take NaN for the
//! largest; of every other type they do what GoogleSQL does.)

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::fold::{Fold, array, typed};

#[derive(Debug, Default)]
pub(crate) struct Extreme<const MAX: bool>(Option<f64>);

impl<const MAX: bool> Extreme<MAX> {
    fn more(&mut self, value: f64) {
        self.0 = Some(match self.0 {
            None => value,
            Some(old) if old.is_nan() || value.is_nan() => f64::NAN,
            Some(old) if (value > old) == MAX && value != old => value,
            Some(old) => old,
        });
    }
}

impl<const MAX: bool> Fold for Extreme<MAX> {
    type Column = Float64Array;

    fn add(&mut self, column: &Float64Array, row: usize) -> Result<()> {
        self.more(column.value(row));
        Ok(())
    }

    fn state_types() -> Vec<DataType> {
        vec![DataType::Float64]
    }

    fn states(groups: Vec<Self>) -> Result<Vec<ArrayRef>> {
        Ok(vec![Self::results(groups)?])
    }

    fn merge(&mut self, states: &[ArrayRef], row: usize) -> Result<()> {
        let states: &Float64Array = typed(&states[0])?;
        if states.is_valid(row) {
            self.more(states.value(row));
        }
        Ok(())
    }

    fn results(groups: Vec<Self>) -> Result<ArrayRef> {
        Ok(array(groups.into_iter().map(|group| group.0).collect::<Float64Array>()))
    }
}
