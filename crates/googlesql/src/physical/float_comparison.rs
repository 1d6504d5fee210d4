//! Functions for the comparison operators of FLOAT64 values.
//!
//! GoogleSQL compares by IEEE 754: every comparison with NaN except `!=` is false. Arrow compares by a total order, in
//! which NaN equals NaN. `resolve::comparison` calls these functions instead.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#floating_point_semantics>.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

/// Builds `left op right`. Returns `None` for an operator that is not a comparison.
pub(crate) fn float_comparison(left: Expr, op: Operator, right: Expr) -> Option<Expr> {
    let (name, predicate): (_, fn(&f64, &f64) -> bool) = match op {
        Operator::Eq => ("$float_equal", f64::eq),
        Operator::NotEq => ("$float_not_equal", f64::ne),
        Operator::Lt => ("$float_less", f64::lt),
        Operator::LtEq => ("$float_less_or_equal", f64::le),
        Operator::Gt => ("$float_greater", f64::gt),
        Operator::GtEq => ("$float_greater_or_equal", f64::ge),
        _ => return None,
    };
    let signature = Signature::exact(vec![DataType::Float64, DataType::Float64], Volatility::Immutable);
    let function = ScalarUDF::from(FloatComparison { name, predicate: FloatPredicate(predicate), signature });
    Some(Arc::new(function).call(vec![left, right]))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FloatComparison {
    name: &'static str,
    predicate: FloatPredicate,
    signature: Signature,
}

/// Compares as equal, because `FloatComparison::name` identifies the predicate.
#[derive(Debug)]
struct FloatPredicate(fn(&f64, &f64) -> bool);

impl PartialEq for FloatPredicate {
    fn eq(&self, _: &FloatPredicate) -> bool {
        true
    }
}

impl Eq for FloatPredicate {}

impl std::hash::Hash for FloatPredicate {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

impl ScalarUDFImpl for FloatComparison {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return internal_err!("a comparison has two operands");
        };
        let (left, right) = (left.to_array(args.number_rows)?, right.to_array(args.number_rows)?);
        let pairs = left.as_primitive::<Float64Type>().iter().zip(right.as_primitive::<Float64Type>());
        let truth: BooleanArray = pairs.map(|(left, right)| Some((self.predicate.0)(&left?, &right?))).collect();
        Ok(ColumnarValue::Array(Arc::new(truth)))
    }
}
