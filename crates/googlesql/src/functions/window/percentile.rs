//! `PERCENTILE_CONT(x, p)` and `PERCENTILE_DISC(x, p)` over a partition. With `IGNORE NULLS` (the
//! resolver's default) NULLs are skipped, with `RESPECT NULLS` they sort first.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{SortOptions, sort};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use super::super::coerce::no_signature_error_for_types;
use super::super::function_error::FunctionError;
use super::super::memory_budget::MAX_BATCH_BYTES;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum PercentileKind {
    /// Linear interpolation between the two nearest values. The result is FLOAT64.
    Continuous,
    /// The first value whose cumulative distribution is at least the percentile.
    Discrete,
}

impl PercentileKind {
    /// Returns the type of the values and of the result, or none if there is no signature.
    fn value_type(self, types: &[DataType]) -> Option<DataType> {
        use DataType::{Float64, Int64, List, Null, Struct, Utf8, Utf8View};
        match (self, types) {
            (PercentileKind::Continuous, [Float64 | Int64 | Null, Float64 | Int64]) => Some(Float64),
            (PercentileKind::Discrete, [Utf8View, Float64 | Int64]) => Some(Utf8),
            (PercentileKind::Discrete, [Null, Float64 | Int64]) => Some(Int64),
            (PercentileKind::Discrete, [List(_) | Struct(_), _]) => None,
            (PercentileKind::Discrete, [value, Float64 | Int64]) => Some(value.clone()),
            _ => None,
        }
    }
}

pub(crate) fn functions() -> [Percentile; 2] {
    [("percentile_cont", PercentileKind::Continuous), ("percentile_disc", PercentileKind::Discrete)].map(|(name, kind)| Percentile {
        name,
        kind,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug)]
pub(crate) struct Percentile {
    pub(crate) name: &'static str,
    kind: PercentileKind,
    signature: Signature,
}

impl PartialEq for Percentile {
    fn eq(&self, other: &Percentile) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Percentile {}

impl Hash for Percentile {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

impl WindowUDFImpl for Percentile {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        // DataFusion replaces the message of an error here. It keeps the message of `field`.
        Ok(self.kind.value_type(types).map_or_else(|| types.to_vec(), |value| vec![value, DataType::Float64]))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args.input_fields().iter().map(|field| field.data_type().clone()).collect();
        let value = self.kind.value_type(&types).ok_or_else(|| no_signature_error_for_types(self.name, &types))?;
        Ok(Arc::new(Field::new(args.name(), value, true)))
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(PercentileEvaluator { kind: self.kind, ignore_nulls: args.ignore_nulls() }))
    }
}

#[derive(Debug)]
struct PercentileEvaluator {
    kind: PercentileKind,
    ignore_nulls: bool,
}

impl PartitionEvaluator for PercentileEvaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let sorted = sort(&values[0], Some(SortOptions { descending: false, nulls_first: true }))?;
        let skipped = if self.ignore_nulls { sorted.null_count() } else { 0 };
        let sorted = sorted.slice(skipped, sorted.len() - skipped);
        let percentile = values[1].as_primitive::<Float64Type>().iter().next().flatten();
        let percentile = percentile.filter(|percentile| (0.0..=1.0).contains(percentile));
        let percentile = percentile.ok_or_else(|| FunctionError::new("The percentile must be between 0 and 1"))?;
        let value = match (self.kind, sorted.len()) {
            (_, 0) => ScalarValue::try_from(sorted.data_type())?,
            (PercentileKind::Discrete, count) => {
                let position = (percentile * count as f64).ceil() as usize;
                ScalarValue::try_from_array(&sorted, position.saturating_sub(1).min(count - 1))?
            }
            (PercentileKind::Continuous, count) => {
                let numbers = sorted.as_primitive::<Float64Type>();
                let number = |position: f64| numbers.is_valid(position as usize).then(|| numbers.value(position as usize));
                let position = percentile * (count - 1) as f64;
                ScalarValue::Float64(interpolate(number(position.floor()), number(position.ceil()), position.fract()))
            }
        };
        match value.size().saturating_sub(size_of::<ScalarValue>()).saturating_mul(rows) > MAX_BATCH_BYTES {
            true => Err(FunctionError::resources_exceeded().into()),
            false => value.to_array_of_size(rows),
        }
    }
}

/// Interpolates between two values. If one is NULL, the result is the other one.
fn interpolate(below: Option<f64>, above: Option<f64>, fraction: f64) -> Option<f64> {
    match (below, above) {
        (Some(below), Some(above)) if fraction > 0.0 => Some(below * (1.0 - fraction) + above * fraction),
        (below, above) => below.or(above),
    }
}
