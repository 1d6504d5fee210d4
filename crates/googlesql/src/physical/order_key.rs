//! The order of values where Arrow's is not GoogleSQL's.
//!
//! In GoogleSQL's order NaN comes before all numbers, `-0.0` is `0.0`, and an INTERVAL is as long
//! as its months of 30 days and its days of 24 hours make it. Values of these types are sorted and
//! compared by a key, which Arrow orders as GoogleSQL orders the values. `=` and `<` of FLOAT64
//! are yet another matter: see `float_comparison`.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types>, "Floating
//! point semantics" and "Interval type".

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, IntervalMonthDayNanoType};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::types;

const NANOSECONDS_OF_A_DAY: i128 = 86_400_000_000_000;

/// An INTERVAL of 10 000 years has more nanoseconds than an INT64 can count.
const LENGTH: DataType = DataType::Decimal128(38, 0);

/// What to sort by, and to compare, for values of the type.
pub(crate) fn order_key(value: Expr, data_type: &DataType) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(OrderKey { signature: Signature::any(1, Volatility::Immutable) })));
    match needs_key(data_type) {
        true => FUNCTION.call(vec![value]),
        false => value,
    }
}

/// Whether Arrow's order of such values is another than GoogleSQL's.
pub(crate) fn needs_key(data_type: &DataType) -> bool {
    *data_type == DataType::Float64 || *data_type == types::INTERVAL
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OrderKey {
    signature: Signature,
}

fn keys(values: &ArrayRef) -> Result<ArrayRef> {
    if *values.data_type() == types::INTERVAL {
        let lengths = values.as_primitive::<IntervalMonthDayNanoType>().unary::<_, Decimal128Type>(|interval| {
            let days = i128::from(interval.months) * 30 + i128::from(interval.days);
            days * NANOSECONDS_OF_A_DAY + i128::from(interval.nanoseconds)
        });
        return Ok(Arc::new(lengths.with_precision_and_scale(38, 0)?));
    }
    // Arrow puts a NaN with a sign before everything, one without after it. Adding 0.0 takes the
    // sign from -0.0.
    let ordered = |number: f64| if number.is_nan() { -f64::NAN } else { number + 0.0 };
    Ok(Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(ordered)))
}

impl ScalarUDFImpl for OrderKey {
    fn name(&self) -> &str {
        "$order_key"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match &arg_types[0] {
            DataType::Float64 => Ok(DataType::Float64),
            interval if *interval == types::INTERVAL => Ok(LENGTH),
            other => plan_err!("{other} is its own key"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match &args.args[0] {
            ColumnarValue::Array(values) => ColumnarValue::Array(keys(values)?),
            ColumnarValue::Scalar(value) => ColumnarValue::Scalar(ScalarValue::try_from_array(&keys(&value.to_array()?)?, 0)?),
        })
    }
}
