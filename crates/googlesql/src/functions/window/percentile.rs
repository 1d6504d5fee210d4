//! `PERCENTILE_CONT(x, p)` and `PERCENTILE_DISC(x, p)` over a partition: `IGNORE NULLS`, for which the
//! caller has to ask, or with NULLs as the least values.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::{SortOptions, sort};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDFImpl};

use super::super::coerce::no_signature_of;
use super::super::function_error::FunctionError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// Between the two nearest values, in proportion. FLOAT64.
    Continuous,
    /// The first value that at least that share of the rows does not exceed.
    Discrete,
}

impl Kind {
    /// The type of the values, and of the result; none if there is no signature for the types.
    fn takes(self, types: &[DataType]) -> Option<DataType> {
        use DataType::{Float64, Int64, List, Null, Struct, Utf8, Utf8View};
        match (self, types) {
            (Kind::Continuous, [Float64 | Int64 | Null, Float64 | Int64]) => Some(Float64),
            (Kind::Discrete, [Utf8View, Float64 | Int64]) => Some(Utf8),
            (Kind::Discrete, [Null, Float64 | Int64]) => Some(Int64),
            (Kind::Discrete, [List(_) | Struct(_), _]) => None,
            (Kind::Discrete, [value, Float64 | Int64]) => Some(value.clone()),
            _ => None,
        }
    }
}

pub(crate) fn functions() -> [Percentile; 2] {
    [("percentile_cont", Kind::Continuous), ("percentile_disc", Kind::Discrete)].map(|(name, kind)| Percentile {
        name,
        kind,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug)]
pub(crate) struct Percentile {
    pub(crate) name: &'static str,
    kind: Kind,
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
        // DataFusion would bury the failure in words of its own; that of `field` arrives.
        Ok(self.kind.takes(types).map_or_else(|| types.to_vec(), |value| vec![value, DataType::Float64]))
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args.input_fields().iter().map(|field| field.data_type().clone()).collect();
        let value = self.kind.takes(&types).ok_or_else(|| no_signature_of(self.name, &types))?;
        Ok(Arc::new(Field::new(args.name(), value, true)))
    }

    fn partition_evaluator(&self, args: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Partition { kind: self.kind, ignore_nulls: args.ignore_nulls() }))
    }
}

#[derive(Debug)]
struct Partition {
    kind: Kind,
    ignore_nulls: bool,
}

impl PartitionEvaluator for Partition {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let sorted = sort(&values[0], Some(SortOptions { descending: false, nulls_first: true }))?;
        let skipped = if self.ignore_nulls { sorted.null_count() } else { 0 };
        let sorted = sorted.slice(skipped, sorted.len() - skipped);
        let share = values[1].as_primitive::<Float64Type>().iter().next().flatten();
        let share = share.filter(|share| (0.0..=1.0).contains(share));
        let share = share.ok_or_else(|| FunctionError::new("The percentile must be between 0 and 1"))?;
        let value = match (self.kind, sorted.len()) {
            (_, 0) => ScalarValue::try_from(sorted.data_type())?,
            (Kind::Discrete, count) => {
                let place = (share * count as f64).ceil() as usize;
                ScalarValue::try_from_array(&sorted, place.saturating_sub(1).min(count - 1))?
            }
            (Kind::Continuous, count) => {
                let numbers = sorted.as_primitive::<Float64Type>();
                let number = |place: f64| numbers.is_valid(place as usize).then(|| numbers.value(place as usize));
                let place = share * (count - 1) as f64;
                ScalarValue::Float64(between(number(place.floor()), number(place.ceil()), place.fract()))
            }
        };
        value.to_array_of_size(rows)
    }
}

/// So far on the way from the one to the other. A NULL is no way: there is but the other.
fn between(below: Option<f64>, above: Option<f64>, part: f64) -> Option<f64> {
    match (below, above) {
        (Some(below), Some(above)) if part > 0.0 => Some(below * (1.0 - part) + above * part),
        (below, above) => below.or(above),
    }
}
