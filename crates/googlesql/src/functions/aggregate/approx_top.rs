//! APPROX_TOP_COUNT and APPROX_TOP_SUM, computed exactly.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int64Array, StructArray, UInt64Array, make_comparator, new_empty_array};
use datafusion::arrow::compute::{SortOptions, concat, take};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};

use super::super::function_error::FunctionError;
use super::aggregate_function::{AggregateCall, Implementation};
use super::approx_quantiles::result_count;
use super::group_rows::GroupFunction;
use super::{default_to_int64, is_comparable, is_number};

/// `APPROX_TOP_COUNT(x, n)`. NULL counts as a value.
pub(crate) fn count(types: &[DataType]) -> Option<AggregateCall> {
    let [value, DataType::Int64] = types else { return None };
    is_comparable(value).then(|| AggregateCall {
        arguments: vec![default_to_int64(value), DataType::Int64],
        returns: list(&fields(&default_to_int64(value), "count", &DataType::Int64)),
        implementation: Implementation::WholeGroup(GroupFunction::Columns(top_count)),
    })
}

/// `APPROX_TOP_SUM(x, weight, n)`.
pub(crate) fn sum(types: &[DataType]) -> Option<AggregateCall> {
    let [value, weight, DataType::Int64] = types else { return None };
    (is_comparable(value) && is_number(weight)).then(|| AggregateCall {
        arguments: vec![default_to_int64(value), default_to_int64(weight), DataType::Int64],
        returns: list(&fields(&default_to_int64(value), "sum", &default_to_int64(weight))),
        implementation: Implementation::WholeGroup(GroupFunction::Columns(top_sum)),
    })
}

fn fields(value: &DataType, second: &str, second_type: &DataType) -> Fields {
    Fields::from(vec![Field::new("value", value.clone(), true), Field::new(second, second_type.clone(), true)])
}

fn list(fields: &Fields) -> DataType {
    DataType::List(Field::new_list_field(DataType::Struct(fields.clone()), true).into())
}

/// Returns the row numbers of each distinct value, in order of first appearance.
fn group_by_value(values: &ArrayRef) -> Result<Vec<Vec<u64>>> {
    let mut indices = HashMap::new();
    let mut rows: Vec<Vec<u64>> = Vec::new();
    for row in 0..values.len() {
        let index = *indices.entry(ScalarValue::try_from_array(values, row)?).or_insert_with(|| {
            rows.push(Vec::new());
            rows.len() - 1
        });
        rows[index].push(row as u64);
    }
    Ok(rows)
}

fn top_count(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let values = &columns[0];
    let mut groups = group_by_value(values)?;
    let fields = fields(values.data_type(), "count", &DataType::Int64);
    if groups.is_empty() {
        return ScalarValue::try_from(&list(&fields));
    }
    groups.sort_by_key(|rows| Reverse(rows.len()));
    groups.truncate(result_count("APPROX_TOP_COUNT", &columns[1])?);
    let counts = Int64Array::from_iter_values(groups.iter().map(|rows| rows.len() as i64));
    build_result(fields, values, &groups, Arc::new(counts))
}

fn top_sum(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let (values, weights) = (&columns[0], &columns[1]);
    let groups = group_by_value(values)?;
    let fields = fields(values.data_type(), "sum", weights.data_type());
    if groups.is_empty() {
        return ScalarValue::try_from(&list(&fields));
    }
    let zero = ScalarValue::new_zero(weights.data_type())?;
    let mut sums = Vec::with_capacity(groups.len());
    for rows in &groups {
        let mut sum = ScalarValue::try_from(weights.data_type())?;
        for &row in rows {
            let weight = ScalarValue::try_from_array(weights, row as usize)?;
            if weight < zero {
                return Err(FunctionError::new("APPROX_TOP_SUM does not support negative weights").into());
            }
            sum = match (sum.is_null(), weight.is_null()) {
                (_, true) => sum,
                (true, false) => weight,
                (false, false) => sum.add_checked(&weight)?,
            };
        }
        sums.push(sum.to_array()?);
    }
    let sums = concat(&sums.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
    let order = make_comparator(&sums, &sums, SortOptions { descending: true, nulls_first: false })?;
    let mut indices: Vec<usize> = (0..groups.len()).collect();
    indices.sort_by(|&a, &b| order(a, b));
    indices.truncate(result_count("APPROX_TOP_SUM", &columns[2])?);
    let sums = take(&sums, &UInt64Array::from_iter_values(indices.iter().map(|&index| index as u64)), None)?;
    let groups: Vec<Vec<u64>> = indices.into_iter().map(|index| groups[index].clone()).collect();
    build_result(fields, values, &groups, sums)
}

fn build_result(fields: Fields, values: &ArrayRef, groups: &[Vec<u64>], second: ArrayRef) -> Result<ScalarValue> {
    let firsts = UInt64Array::from_iter_values(groups.iter().filter_map(|rows| rows.first().copied()));
    let values = match groups.is_empty() {
        true => new_empty_array(values.data_type()),
        false => take(values, &firsts, None)?,
    };
    let rows = StructArray::try_new(fields, vec![values, second], None)?;
    Ok(SingleRowListArrayBuilder::new(Arc::new(rows)).build_list_scalar())
}
