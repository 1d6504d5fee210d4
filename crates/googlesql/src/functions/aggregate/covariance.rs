//! CORR, COVAR_POP and COVAR_SAMP.

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use super::aggregate_function::{AggregateCall, Implementation};
use super::group_rows::GroupFunction;
use super::group_state::downcast;
use super::is_number;

pub(crate) fn call(types: &[DataType], function: fn(&[ArrayRef]) -> Result<ScalarValue>) -> Option<AggregateCall> {
    let [x, y] = types else { return None };
    (is_number(x) && is_number(y)).then(|| AggregateCall {
        arguments: vec![DataType::Float64; 2],
        returns: DataType::Float64,
        implementation: Implementation::WholeGroup(GroupFunction::Columns(function)),
    })
}

/// The sums of squared and multiplied deviations from the means, over rows without NULL.
struct Moments {
    count: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

fn moments(columns: &[ArrayRef]) -> Result<Moments> {
    let (x, y): (&Float64Array, &Float64Array) = (downcast(&columns[0])?, downcast(&columns[1])?);
    let pairs: Vec<(f64, f64)> = x.iter().zip(y).filter_map(|(x, y)| x.zip(y)).collect();
    let count = pairs.len() as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / count, y + pair.1 / count));
    let mut moments = Moments { count, xx: 0.0, yy: 0.0, xy: 0.0 };
    for (a, b) in pairs {
        moments.xx += (a - x) * (a - x);
        moments.yy += (b - y) * (b - y);
        moments.xy += (a - x) * (b - y);
    }
    Ok(moments)
}

fn null_below(count: f64, moments: &Moments, value: f64) -> ScalarValue {
    ScalarValue::Float64((moments.count >= count).then_some(value))
}

/// Returns NaN if all values of a column are equal.
pub(crate) fn corr(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let moments = moments(columns)?;
    Ok(null_below(2.0, &moments, moments.xy / (moments.xx * moments.yy).sqrt()))
}

pub(crate) fn covar_pop(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let moments = moments(columns)?;
    Ok(null_below(1.0, &moments, moments.xy / moments.count))
}

pub(crate) fn covar_samp(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let moments = moments(columns)?;
    Ok(null_below(2.0, &moments, moments.xy / (moments.count - 1.0)))
}
