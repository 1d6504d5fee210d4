//! STRING_AGG and ARRAY_CONCAT_AGG.
//!
//! DataFusion's ARRAY_AGG collects the elements. It implements DISTINCT, ORDER BY and the stages of
//! the aggregation. The elements are then concatenated.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;

use super::super::coerce::no_signature_error_for_types;
use super::super::function_error::FunctionError;
use super::measured::MeasuredAccumulator;

pub(crate) fn aggregates() -> [(&'static str, AggregateUDF); 2] {
    [Concatenation::Text, Concatenation::Arrays].map(|concatenation| {
        let aggregate = ConcatenatingAggregate { concatenation, signature: Signature::user_defined(Volatility::Immutable) };
        (aggregate.concatenation.name(), AggregateUDF::new_from_impl(aggregate))
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Concatenation {
    /// `STRING_AGG(x[, delimiter])` of STRING or BYTES.
    Text,
    /// `ARRAY_CONCAT_AGG(x)`.
    Arrays,
}

impl Concatenation {
    fn name(self) -> &'static str {
        match self {
            Concatenation::Text => "string_agg",
            Concatenation::Arrays => "array_concat_agg",
        }
    }

    fn coerce(self, types: &[DataType]) -> Option<Vec<DataType>> {
        use DataType::{Binary, BinaryView, List, Null, Utf8, Utf8View};
        let value = match (self, types.first()?) {
            (Concatenation::Text, Utf8 | Utf8View | Null) => Utf8,
            (Concatenation::Text, Binary | BinaryView) => Binary,
            (Concatenation::Arrays, array @ List(_)) => array.clone(),
            _ => return None,
        };
        match (self, types.get(1)) {
            (_, None) => Some(vec![value]),
            (Concatenation::Text, Some(Utf8 | Utf8View)) if value == Utf8 => Some(vec![value.clone(), value]),
            (Concatenation::Text, Some(Binary | BinaryView)) if value == Binary => Some(vec![value.clone(), value]),
            _ => None,
        }
        .filter(|_| types.len() <= 2)
    }
}

#[derive(Debug)]
struct ConcatenatingAggregate {
    concatenation: Concatenation,
    signature: Signature,
}

impl PartialEq for ConcatenatingAggregate {
    fn eq(&self, other: &ConcatenatingAggregate) -> bool {
        self.concatenation == other.concatenation
    }
}

impl Eq for ConcatenatingAggregate {}

impl Hash for ConcatenatingAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.concatenation.hash(state);
    }
}

impl AggregateUDFImpl for ConcatenatingAggregate {
    fn name(&self) -> &str {
        self.concatenation.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        // DataFusion replaces the message of an error here. It keeps the message of `return_type`.
        Ok(self.concatenation.coerce(types).unwrap_or_else(|| types.to_vec()))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match self.concatenation.coerce(types) {
            Some(mut arguments) => Ok(arguments.swap_remove(0)),
            None => Err(no_signature_error_for_types(self.name(), types).into()),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let delimiter = match args.exprs.get(1) {
            None => None,
            Some(delimiter) => match delimiter.downcast_ref::<Literal>().map(Literal::value) {
                Some(ScalarValue::Utf8(Some(text))) => Some(text.clone().into_bytes()),
                Some(ScalarValue::Binary(Some(bytes))) => Some(bytes.clone()),
                _ => return Err(FunctionError::new("Argument 2 to STRING_AGG must be a literal or query parameter").into()),
            },
        };
        let elements = array_agg_udaf().accumulator(AccumulatorArgs {
            return_field: list_of(&args.expr_fields[0]),
            ignore_nulls: true,
            exprs: &args.exprs[..1],
            expr_fields: &args.expr_fields[..1],
            ..args
        })?;
        Ok(Box::new(ConcatenatingAccumulator {
            elements: MeasuredAccumulator::new(elements),
            rows: 0,
            arguments: args.exprs.len(),
            delimiter: delimiter.unwrap_or(b",".to_vec()),
            return_field: args.return_field,
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let element = &args.input_fields[..1];
        array_agg_udaf().state_fields(StateFieldsArgs { input_fields: element, return_field: list_of(&element[0]), ..args })
    }
}

fn list_of(element: &FieldRef) -> FieldRef {
    Arc::new(Field::new_list("elements", Field::new_list_field(element.data_type().clone(), true), true))
}

#[derive(Debug)]
struct ConcatenatingAccumulator {
    elements: MeasuredAccumulator,
    /// Maximum number of elements.
    rows: usize,
    /// The number of argument columns. The ORDER BY keys follow them.
    arguments: usize,
    delimiter: Vec<u8>,
    return_field: FieldRef,
}

impl ConcatenatingAccumulator {
    fn element_and_keys(&self, values: &[ArrayRef]) -> Vec<ArrayRef> {
        let keys = values.iter().skip(self.arguments);
        values.iter().take(1).chain(keys).cloned().collect()
    }
}

impl Accumulator for ConcatenatingAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = self.element_and_keys(values);
        self.rows += values[0].len();
        self.elements.update_batch(&values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = self.element_and_keys(values);
        self.rows = self.rows.saturating_sub(values[0].len());
        self.elements.retract_batch(&values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.elements.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let ScalarValue::List(list) = self.elements.evaluate()? else {
            return internal_err!("ARRAY_AGG did not return an array");
        };
        let data_type = self.return_field.data_type();
        if list.is_null(0) || list.value(0).is_empty() {
            return ScalarValue::try_from(data_type);
        }
        let elements = list.value(0);
        Ok(match data_type {
            DataType::Utf8 => {
                let texts: Vec<&str> = elements.as_string::<i32>().iter().flatten().collect();
                ScalarValue::Utf8(Some(texts.join(&*String::from_utf8_lossy(&self.delimiter))))
            }
            DataType::Binary => {
                let values: Vec<&[u8]> = elements.as_binary::<i32>().iter().flatten().collect();
                ScalarValue::Binary(Some(values.join(&self.delimiter[..])))
            }
            _ => {
                let arrays: Vec<ArrayRef> = elements.as_list::<i32>().iter().flatten().collect();
                let all = concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
                SingleRowListArrayBuilder::new(all).build_list_scalar()
            }
        })
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.elements.size() + self.rows.saturating_mul(self.delimiter.len())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.elements.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.rows += states[0].as_list::<i32>().values().len();
        self.elements.merge_batch(states)
    }
}
