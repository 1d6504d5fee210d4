//! Sort keys for the types that Arrow orders differently from GoogleSQL.
//!
//! In GoogleSQL, NaN sorts before all numbers, and `-0.0` equals `0.0`. INTERVALs compare by their length, with months
//! of 30 days and days of 24 hours. This function maps such a value to a key that Arrow sorts in GoogleSQL's order. For
//! the comparison operators of FLOAT64, see `float_comparison`.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types>, "Floating point semantics"
//! and "Interval type".

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, IntervalMonthDayNanoType};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use crate::types;

const NANOS_PER_DAY: i128 = 86_400_000_000_000;

/// The type of an INTERVAL's key. The nanoseconds of 10,000 years do not fit into an INT64.
const LENGTH: DataType = DataType::Decimal128(38, 0);

/// The expression to sort and compare values of the type by.
pub(crate) fn order_key(value: Expr, data_type: &DataType) -> Expr {
    static FUNCTION: LazyLock<Arc<ScalarUDF>> =
        LazyLock::new(|| Arc::new(ScalarUDF::from(OrderKey { signature: Signature::any(1, Volatility::Immutable) })));
    match needs_key(data_type) {
        true => FUNCTION.call(vec![value]),
        false => value,
    }
}

/// Whether Arrow's order of the type differs from GoogleSQL's.
pub(crate) fn needs_key(data_type: &DataType) -> bool {
    *data_type == DataType::Float64 || *data_type == types::INTERVAL
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OrderKey {
    signature: Signature,
}

fn compute_keys(values: &ArrayRef) -> Result<ArrayRef> {
    if *values.data_type() == types::INTERVAL {
        let lengths = values.as_primitive::<IntervalMonthDayNanoType>().unary::<_, Decimal128Type>(|interval| {
            let days = i128::from(interval.months) * 30 + i128::from(interval.days);
            days * NANOS_PER_DAY + i128::from(interval.nanoseconds)
        });
        return Ok(Arc::new(lengths.with_precision_and_scale(38, 0)?));
    }
    // Arrow sorts a negative NaN first and a positive NaN last. Adding 0.0 converts -0.0 to 0.0.
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
            other => plan_err!("{other} needs no sort key"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(match &args.args[0] {
            ColumnarValue::Array(values) => ColumnarValue::Array(compute_keys(values)?),
            ColumnarValue::Scalar(value) => ColumnarValue::Scalar(ScalarValue::try_from_array(&compute_keys(&value.to_array()?)?, 0)?),
        })
    }
}
