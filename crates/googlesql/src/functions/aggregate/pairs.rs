//! CORR, COVAR_POP and COVAR_SAMP: how two columns move together.

use datafusion::arrow::array::{ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use super::definition::{Call, Means};
use super::fold::typed;
use super::is_number;
use super::rows::Summary;

pub(crate) fn call(types: &[DataType], summary: fn(&[ArrayRef]) -> Result<ScalarValue>) -> Option<Call> {
    let [x, y] = types else { return None };
    (is_number(x) && is_number(y)).then(|| Call {
        arguments: vec![DataType::Float64; 2],
        returns: DataType::Float64,
        means: Means::Rows(Summary::Columns(summary)),
    })
}

/// The sums of squares around the means, of the rows where neither is NULL.
struct Moments {
    count: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

fn moments(columns: &[ArrayRef]) -> Result<Moments> {
    let (x, y): (&Float64Array, &Float64Array) = (typed(&columns[0])?, typed(&columns[1])?);
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

fn of_at_least(count: f64, moments: &Moments, value: f64) -> ScalarValue {
    ScalarValue::Float64((moments.count >= count).then_some(value))
}

/// NaN if one of the columns is the same everywhere.
pub(crate) fn corr(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let moments = moments(columns)?;
    Ok(of_at_least(2.0, &moments, moments.xy / (moments.xx * moments.yy).sqrt()))
}

pub(crate) fn covar_pop(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let moments = moments(columns)?;
    Ok(of_at_least(1.0, &moments, moments.xy / moments.count))
}

pub(crate) fn covar_samp(columns: &[ArrayRef]) -> Result<ScalarValue> {
    let moments = moments(columns)?;
    Ok(of_at_least(2.0, &moments, moments.xy / (moments.count - 1.0)))
}
