//! `GENERATE_ARRAY`, `GENERATE_DATE_ARRAY` and `GENERATE_TIMESTAMP_ARRAY`.
//!
//! Both bounds are inclusive. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/array_functions#generate_array>.

use datafusion::arrow::datatypes::{IntervalMonthDayNano, i256};

use super::Function;
use super::adapter::scalar;
use super::array_column::ArrayOf;
use super::calendar::interval::{add_interval, build_interval};
use super::column::{BigNumeric, Date, Float64, Int64, Interval, Numeric, Timestamp};
use super::function_error::FunctionError;
use super::number::decimal::{BIGNUMERIC_SCALE, NUMERIC_SCALE, power_of_ten};
use super::overload::Overload;
use crate::civil_time::MICROS_OF_DAY;

/// BigQuery's limit for the length of a generated array.
const MAX_ELEMENTS: usize = 1_048_575;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let one_numeric = 10_i128.pow(NUMERIC_SCALE);
    vec![
        scalar(
            "generate_array",
            vec![
                Overload::binary::<Int64, Int64, ArrayOf<Int64>, _>(|start, end| generate_integers(start, end, 1)),
                Overload::ternary::<Int64, Int64, Int64, ArrayOf<Int64>, _>(generate_integers),
                Overload::binary::<Numeric, Numeric, ArrayOf<Numeric>, _>(move |start, end| {
                    generate_numbers(start, end, Step::of(one_numeric, 0), |a, b| a.checked_add(b))
                }),
                Overload::ternary::<Numeric, Numeric, Numeric, ArrayOf<Numeric>, _>(|start, end, step| {
                    generate_numbers(start, end, Step::of(step, 0), |a, b| a.checked_add(b))
                }),
                Overload::binary::<BigNumeric, BigNumeric, ArrayOf<BigNumeric>, _>(|start, end| {
                    generate_numbers(start, end, Step::of(power_of_ten(BIGNUMERIC_SCALE), i256::ZERO), |a, b| a.checked_add(b))
                }),
                Overload::ternary::<BigNumeric, BigNumeric, BigNumeric, ArrayOf<BigNumeric>, _>(|start, end, step| {
                    generate_numbers(start, end, Step::of(step, i256::ZERO), |a, b| a.checked_add(b))
                }),
                Overload::binary::<Float64, Float64, ArrayOf<Float64>, _>(|start, end| generate_floats(start, end, 1.0)),
                Overload::ternary::<Float64, Float64, Float64, ArrayOf<Float64>, _>(generate_floats),
            ],
        ),
        scalar(
            "generate_date_array",
            vec![
                Overload::binary::<Date, Date, ArrayOf<Date>, _>(|start, end| {
                    generate_dates(start, end, IntervalMonthDayNano::new(0, 1, 0))
                }),
                Overload::ternary::<Date, Date, Interval, ArrayOf<Date>, _>(generate_dates),
            ],
        ),
        scalar(
            "generate_timestamp_array",
            vec![Overload::ternary::<Timestamp, Timestamp, Interval, ArrayOf<Timestamp>, _>(generate_timestamps)],
        ),
    ]
}

fn zero_step_error() -> FunctionError {
    FunctionError::new("Sequence step cannot be 0.")
}

fn too_many_elements_error() -> FunctionError {
    FunctionError::new(format!("Cannot generate arrays with more than {MAX_ELEMENTS} elements."))
}

fn generate_integers(start: i64, end: i64, step: i64) -> Result<Vec<i64>, FunctionError> {
    let last_index = (i128::from(end) - i128::from(start)).checked_div(i128::from(step));
    if last_index.is_some_and(|index| index >= MAX_ELEMENTS as i128) {
        return Err(too_many_elements_error());
    }
    generate_numbers(start, end, Step::of(step, 0), |a, b| a.checked_add(b))
}

/// A step and its direction. The step is zero if the direction is `Equal`.
struct Step<T> {
    by: T,
    direction: std::cmp::Ordering,
}

impl<T: PartialOrd + Copy> Step<T> {
    fn of(by: T, zero: T) -> Step<T> {
        Step { by, direction: by.partial_cmp(&zero).unwrap_or(std::cmp::Ordering::Equal) }
    }

    fn is_past(&self, value: T, end: T) -> bool {
        if self.direction.is_gt() { value > end } else { value < end }
    }
}

fn generate_numbers<T: PartialOrd + Copy>(start: T, end: T, step: Step<T>, add: fn(T, T) -> Option<T>) -> Result<Vec<T>, FunctionError> {
    if step.direction.is_eq() {
        return Err(zero_step_error());
    }
    let mut values = Vec::new();
    let mut next = Some(start);
    // A sum that overflows is past the end.
    while let Some(value) = next.filter(|value| !step.is_past(*value, end)) {
        if values.len() == MAX_ELEMENTS {
            return Err(too_many_elements_error());
        }
        values.push(value);
        next = add(value, step.by);
    }
    Ok(values)
}

/// Generates multiples of the step, so that rounding errors do not accumulate.
fn generate_floats(start: f64, end: f64, step: f64) -> Result<Vec<f64>, FunctionError> {
    if step == 0.0 {
        return Err(zero_step_error());
    }
    if !(start.is_finite() && end.is_finite() && step.is_finite()) {
        return Err(FunctionError::new("GENERATE_ARRAY does not support infinite values and NaN"));
    }
    let step = Step::of(step, 0.0);
    let values: Vec<f64> =
        (0..=MAX_ELEMENTS).map(|index| start + index as f64 * step.by).take_while(|value| !step.is_past(*value, end)).collect();
    if values.len() > MAX_ELEMENTS { Err(too_many_elements_error()) } else { Ok(values) }
}

fn generate_dates(start: i32, end: i32, step: IntervalMonthDayNano) -> Result<Vec<i32>, FunctionError> {
    if step.nanoseconds != 0 {
        return Err(FunctionError::new("GENERATE_DATE_ARRAY does not support date parts shorter than DAY"));
    }
    let micros = generate_times(i64::from(start) * MICROS_OF_DAY, i64::from(end) * MICROS_OF_DAY, step)?;
    Ok(micros.into_iter().map(|micros| micros.div_euclid(MICROS_OF_DAY) as i32).collect())
}

fn generate_timestamps(start: i64, end: i64, step: IntervalMonthDayNano) -> Result<Vec<i64>, FunctionError> {
    if step.months != 0 {
        return Err(FunctionError::new("GENERATE_TIMESTAMP_ARRAY does not support date parts longer than DAY"));
    }
    generate_times(start, end, step)
}

/// Adds multiples of the step to the start. The start's day of the month is kept where the month
/// has it.
fn generate_times(start: i64, end: i64, step: IntervalMonthDayNano) -> Result<Vec<i64>, FunctionError> {
    let length = i64::from(step.months) * 30 * MICROS_OF_DAY + i64::from(step.days) * MICROS_OF_DAY + step.nanoseconds / 1_000;
    let step_length = Step::of(length, 0);
    if step_length.direction.is_eq() {
        return Err(zero_step_error());
    }
    let mut values = Vec::new();
    for index in 0_i64.. {
        let interval = build_interval(
            i64::from(step.months).checked_mul(index),
            i64::from(step.days).checked_mul(index),
            i128::from(step.nanoseconds) * i128::from(index),
        );
        let next = interval.ok().and_then(|interval| add_interval(start, interval));
        let Some(value) = next.filter(|value| !step_length.is_past(*value, end)) else { break };
        if values.len() == MAX_ELEMENTS {
            return Err(too_many_elements_error());
        }
        values.push(value);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{check, eval_array};

    #[test]
    fn generated_arrays_include_both_bounds() {
        for (expression, expected) in [
            ("generate_array(1, 5)", "1, 2, 3, 4, 5"),
            ("generate_array(0, 10, 3)", "0, 3, 6, 9"),
            ("generate_array(10, 0, -3)", "10, 7, 4, 1"),
            ("generate_array(4, 4, 10)", "4"),
            ("generate_array(10, 0, 3)", ""),
            ("generate_array(5, NULL, 1)", ""),
            ("generate_array(9223372036854775806, 9223372036854775807)", "9223372036854775806, 9223372036854775807"),
            ("generate_array(0, 0.5, 0.25)", "0, 0.25, 0.5"),
            ("generate_array(NUMERIC '0', NUMERIC '0.3', NUMERIC '0.1')", "0, 0.1, 0.2, 0.3"),
            ("generate_array(1, 5, 0)", "error: Sequence step cannot be 0."),
            ("generate_array(1, 10000000)", "error: Cannot generate arrays with more than 1048575 elements."),
            ("generate_date_array('2016-10-05', '2016-10-08')", "2016-10-05, 2016-10-06, 2016-10-07, 2016-10-08"),
            ("generate_date_array('2016-10-05', '2016-10-09', $interval(2, 'DAY'))", "2016-10-05, 2016-10-07, 2016-10-09"),
            ("generate_date_array('2016-10-05', '2016-10-01', $interval(-3, 'DAY'))", "2016-10-05, 2016-10-02"),
            ("generate_date_array('2016-01-31', '2016-04-30', $interval(1, 'MONTH'))", "2016-01-31, 2016-02-29, 2016-03-31, 2016-04-30"),
            ("generate_date_array('2016-10-05', '2016-10-01')", ""),
            ("generate_date_array('9999-12-30', '9999-12-31')", "9999-12-30, 9999-12-31"),
            (
                "generate_timestamp_array('2016-10-05 00:00:00', '2016-10-05 00:00:02', $interval(1, 'SECOND'))",
                "2016-10-05 00:00:00+00, 2016-10-05 00:00:01+00, 2016-10-05 00:00:02+00",
            ),
        ] {
            assert_eq!(eval_array(expression), expected, "{expression}");
        }
        check(&[(
            "generate_date_array(1, 2)",
            "error: No matching signature for function GENERATE_DATE_ARRAY for argument types: INT64, INT64",
        )]);
    }
}
