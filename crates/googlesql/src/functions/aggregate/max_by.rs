//! MAX_BY and MIN_BY, and `ANY_VALUE(x HAVING MAX y)`.

use datafusion::arrow::array::{Array, ArrayRef, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use super::aggregate_function::{AggregateCall, Implementation};
use super::group_rows::GroupFunction;
use super::{default_to_int64, is_comparable};

pub(crate) fn call(types: &[DataType], function: fn(&[ArrayRef]) -> Result<ScalarValue>) -> Option<AggregateCall> {
    let [value, by] = types else { return None };
    is_comparable(by).then(|| AggregateCall {
        arguments: vec![default_to_int64(value), default_to_int64(by)],
        returns: default_to_int64(value),
        implementation: Implementation::WholeGroup(GroupFunction::Columns(function)),
    })
}

pub(crate) fn max(columns: &[ArrayRef]) -> Result<ScalarValue> {
    value_at_extreme(columns, true)
}

pub(crate) fn min(columns: &[ArrayRef]) -> Result<ScalarValue> {
    value_at_extreme(columns, false)
}

fn value_at_extreme(columns: &[ArrayRef], descending: bool) -> Result<ScalarValue> {
    let (values, by) = (&columns[0], &columns[1]);
    let order = make_comparator(by, by, SortOptions { descending, nulls_first: false })?;
    match (0..by.len()).filter(|&row| by.is_valid(row)).min_by(|&a, &b| order(a, b)) {
        Some(row) => ScalarValue::try_from_array(values, row),
        None => ScalarValue::try_from(values.data_type()),
    }
}
