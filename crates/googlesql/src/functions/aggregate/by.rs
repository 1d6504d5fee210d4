//! MAX_BY and MIN_BY, the value beside the largest or smallest; `ANY_VALUE(x HAVING MAX y)`.

use datafusion::arrow::array::{Array, ArrayRef, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use super::definition::{Call, Means};
use super::rows::Summary;
use super::{is_comparable, typed};

pub(crate) fn call(types: &[DataType], summary: fn(&[ArrayRef]) -> Result<ScalarValue>) -> Option<Call> {
    let [value, by] = types else { return None };
    is_comparable(by).then(|| Call {
        arguments: vec![typed(value), typed(by)],
        returns: typed(value),
        means: Means::Rows(Summary::Columns(summary)),
    })
}

pub(crate) fn max(columns: &[ArrayRef]) -> Result<ScalarValue> {
    first(columns, true)
}

pub(crate) fn min(columns: &[ArrayRef]) -> Result<ScalarValue> {
    first(columns, false)
}

fn first(columns: &[ArrayRef], descending: bool) -> Result<ScalarValue> {
    let (values, by) = (&columns[0], &columns[1]);
    let order = make_comparator(by, by, SortOptions { descending, nulls_first: false })?;
    match (0..by.len()).filter(|&row| by.is_valid(row)).min_by(|&a, &b| order(a, b)) {
        Some(row) => ScalarValue::try_from_array(values, row),
        None => ScalarValue::try_from(values.data_type()),
    }
}
