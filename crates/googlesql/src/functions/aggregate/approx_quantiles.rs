//! APPROX_QUANTILES, computed exactly.

use datafusion::arrow::array::{Array, ArrayRef, Int64Array, UInt64Array};
use datafusion::arrow::compute::{SortOptions, sort, take};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};

use super::super::function_error::FunctionError;
use super::aggregate_function::{AggregateCall, Implementation};
use super::group_rows::GroupFunction;
use super::group_state;
use super::{default_to_int64, is_comparable};

/// `APPROX_QUANTILES(x, n)`: n + 1 values from the minimum to the maximum that divide the rows into n
/// groups of equal size. NULLs are ignored.
pub(crate) fn call(types: &[DataType]) -> Option<AggregateCall> {
    let [value, DataType::Int64] = types else { return None };
    is_comparable(value).then(|| AggregateCall {
        arguments: vec![default_to_int64(value), DataType::Int64],
        returns: DataType::List(Field::new_list_field(default_to_int64(value), true).into()),
        implementation: Implementation::WholeGroup(GroupFunction::Columns(quantiles)),
    })
}

fn quantiles(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let values = sort(&columns[0], Some(SortOptions { descending: false, nulls_first: false }))?;
    let rows = values.len() - values.null_count();
    if rows == 0 {
        return ScalarValue::try_from(&DataType::List(Field::new_list_field(values.data_type().clone(), true).into()));
    }
    let shares = result_count("APPROX_QUANTILES", &columns[1])?;
    let bound = |share: usize| (share * rows).div_ceil(shares).saturating_sub(1) as u64;
    let bounds = take(&values, &UInt64Array::from_iter_values((0..=shares).map(bound)), None)?;
    Ok(SingleRowListArrayBuilder::new(bounds).build_list_scalar())
}

/// Reads the number of results, which is the same in all rows.
pub(crate) fn result_count(function: &str, column: &ArrayRef) -> Result<usize> {
    let numbers: &Int64Array = group_state::downcast(column)?;
    let number = numbers.iter().next().flatten().and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|number| (1..=100_000).contains(number));
    Ok(number.ok_or_else(|| FunctionError::new(format!("The number of results of {function} must be between 1 and 100000")))?)
}
