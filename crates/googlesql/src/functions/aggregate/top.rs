//! APPROX_TOP_COUNT and APPROX_TOP_SUM, exactly: the values with most rows, or most weight.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Int64Array, StructArray, UInt64Array, make_comparator, new_empty_array};
use datafusion::arrow::compute::{SortOptions, concat, take};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};

use super::super::function_error::FunctionError;
use super::definition::{Call, Means};
use super::quantiles::wanted;
use super::rows::Summary;
use super::{is_comparable, is_number, typed};

/// `APPROX_TOP_COUNT(x, n)`, NULL being a value like others.
pub(crate) fn count(types: &[DataType]) -> Option<Call> {
    let [value, DataType::Int64] = types else { return None };
    is_comparable(value).then(|| Call {
        arguments: vec![typed(value), DataType::Int64],
        returns: list(&fields(&typed(value), "count", &DataType::Int64)),
        means: Means::Rows(Summary::Columns(top_count)),
    })
}

/// `APPROX_TOP_SUM(x, weight, n)`.
pub(crate) fn sum(types: &[DataType]) -> Option<Call> {
    let [value, weight, DataType::Int64] = types else { return None };
    (is_comparable(value) && is_number(weight)).then(|| Call {
        arguments: vec![typed(value), typed(weight), DataType::Int64],
        returns: list(&fields(&typed(value), "sum", &typed(weight))),
        means: Means::Rows(Summary::Columns(top_sum)),
    })
}

fn fields(value: &DataType, second: &str, second_type: &DataType) -> Fields {
    Fields::from(vec![Field::new("value", value.clone(), true), Field::new(second, second_type.clone(), true)])
}

fn list(fields: &Fields) -> DataType {
    DataType::List(Field::new_list_field(DataType::Struct(fields.clone()), true).into())
}

/// The rows of each different value, in the order of their first.
fn by_value(values: &ArrayRef) -> Result<Vec<Vec<u64>>> {
    let mut places = HashMap::new();
    let mut rows: Vec<Vec<u64>> = Vec::new();
    for row in 0..values.len() {
        let place = *places.entry(ScalarValue::try_from_array(values, row)?).or_insert_with(|| {
            rows.push(Vec::new());
            rows.len() - 1
        });
        rows[place].push(row as u64);
    }
    Ok(rows)
}

fn top_count(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let values = &columns[0];
    let mut groups = by_value(values)?;
    let fields = fields(values.data_type(), "count", &DataType::Int64);
    if groups.is_empty() {
        return ScalarValue::try_from(&list(&fields));
    }
    groups.sort_by_key(|rows| Reverse(rows.len()));
    groups.truncate(wanted("APPROX_TOP_COUNT", &columns[1])?);
    let counts = Int64Array::from_iter_values(groups.iter().map(|rows| rows.len() as i64));
    answer(fields, values, &groups, Arc::new(counts))
}

fn top_sum(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let (values, weights) = (&columns[0], &columns[1]);
    let groups = by_value(values)?;
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
                return Err(FunctionError::new("APPROX_TOP_SUM takes no negative weights").into());
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
    let mut places: Vec<usize> = (0..groups.len()).collect();
    places.sort_by(|&a, &b| order(a, b));
    places.truncate(wanted("APPROX_TOP_SUM", &columns[2])?);
    let sums = take(&sums, &UInt64Array::from_iter_values(places.iter().map(|&place| place as u64)), None)?;
    let groups: Vec<Vec<u64>> = places.into_iter().map(|place| groups[place].clone()).collect();
    answer(fields, values, &groups, sums)
}

fn answer(fields: Fields, values: &ArrayRef, groups: &[Vec<u64>], second: ArrayRef) -> Result<ScalarValue> {
    let firsts = UInt64Array::from_iter_values(groups.iter().filter_map(|rows| rows.first().copied()));
    let values = match groups.is_empty() {
        true => new_empty_array(values.data_type()),
        false => take(values, &firsts, None)?,
    };
    let rows = StructArray::try_new(fields, vec![values, second], None)?;
    Ok(SingleRowListArrayBuilder::new(Arc::new(rows)).build_list_scalar())
}
