//! STRING_AGG and ARRAY_CONCAT_AGG: ARRAY_AGG with its elements joined into one value.
//!
//! DISTINCT, ORDER BY and the stages of an aggregation are left to DataFusion's ARRAY_AGG.

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

use super::super::coerce::no_signature_of;
use super::super::function_error::FunctionError;

pub(crate) fn aggregates() -> [(&'static str, AggregateUDF); 2] {
    [Joining::Text, Joining::Arrays].map(|joining| {
        let joined = Joined { joining, signature: Signature::user_defined(Volatility::Immutable) };
        (joined.joining.name(), AggregateUDF::new_from_impl(joined))
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Joining {
    /// `STRING_AGG(x[, delimiter])` of STRING or BYTES.
    Text,
    /// `ARRAY_CONCAT_AGG(x)`.
    Arrays,
}

impl Joining {
    fn name(self) -> &'static str {
        match self {
            Joining::Text => "string_agg",
            Joining::Arrays => "array_concat_agg",
        }
    }

    fn takes(self, types: &[DataType]) -> Option<Vec<DataType>> {
        use DataType::{Binary, BinaryView, List, Null, Utf8, Utf8View};
        let value = match (self, types.first()?) {
            (Joining::Text, Utf8 | Utf8View | Null) => Utf8,
            (Joining::Text, Binary | BinaryView) => Binary,
            (Joining::Arrays, array @ List(_)) => array.clone(),
            _ => return None,
        };
        match (self, types.get(1)) {
            (_, None) => Some(vec![value]),
            (Joining::Text, Some(Utf8 | Utf8View)) if value == Utf8 => Some(vec![value.clone(), value]),
            (Joining::Text, Some(Binary | BinaryView)) if value == Binary => Some(vec![value.clone(), value]),
            _ => None,
        }
        .filter(|_| types.len() <= 2)
    }
}

#[derive(Debug)]
struct Joined {
    joining: Joining,
    signature: Signature,
}

impl PartialEq for Joined {
    fn eq(&self, other: &Joined) -> bool {
        self.joining == other.joining
    }
}

impl Eq for Joined {}

impl Hash for Joined {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.joining.hash(state);
    }
}

impl AggregateUDFImpl for Joined {
    fn name(&self) -> &str {
        self.joining.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        // DataFusion would bury the failure in words of its own; that of `return_type` arrives.
        Ok(self.joining.takes(types).unwrap_or_else(|| types.to_vec()))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match self.joining.takes(types) {
            Some(mut arguments) => Ok(arguments.swap_remove(0)),
            None => Err(no_signature_of(self.name(), types).into()),
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
        Ok(Box::new(Elements {
            elements,
            arguments: args.exprs.len(),
            delimiter: delimiter.unwrap_or(b",".to_vec()),
            of: args.return_field,
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
struct Elements {
    elements: Box<dyn Accumulator>,
    /// How many of the columns that come in are arguments; what follows are the keys of ORDER BY.
    arguments: usize,
    delimiter: Vec<u8>,
    of: FieldRef,
}

impl Elements {
    fn kept(&self, values: &[ArrayRef]) -> Vec<ArrayRef> {
        let keys = values.iter().skip(self.arguments);
        values.iter().take(1).chain(keys).cloned().collect()
    }
}

impl Accumulator for Elements {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = self.kept(values);
        self.elements.update_batch(&values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = self.kept(values);
        self.elements.retract_batch(&values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.elements.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let ScalarValue::List(list) = self.elements.evaluate()? else {
            return internal_err!("ARRAY_AGG gave something else than an array");
        };
        let of = self.of.data_type();
        if list.is_null(0) || list.value(0).is_empty() {
            return ScalarValue::try_from(of);
        }
        let elements = list.value(0);
        Ok(match of {
            DataType::Utf8 => {
                let texts: Vec<&str> = elements.as_string::<i32>().iter().flatten().collect();
                ScalarValue::Utf8(Some(texts.join(&*String::from_utf8_lossy(&self.delimiter))))
            }
            DataType::Binary => {
                let pieces: Vec<&[u8]> = elements.as_binary::<i32>().iter().flatten().collect();
                ScalarValue::Binary(Some(pieces.join(&self.delimiter[..])))
            }
            _ => {
                let arrays: Vec<ArrayRef> = elements.as_list::<i32>().iter().flatten().collect();
                let all = concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
                SingleRowListArrayBuilder::new(all).build_list_scalar()
            }
        })
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.elements.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.elements.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.elements.merge_batch(states)
    }
}
