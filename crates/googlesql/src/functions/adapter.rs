//! Adapts a set of [`Overload`]s to DataFusion's `ScalarUDFImpl`.
//!
//! DataFusion does not coerce the arguments. This module chooses the overload by GoogleSQL's
//! coercion rules ([`coerce`](mod@super::coerce)), which differ for literals and columns. It
//! converts the arguments to the declared types before the overload runs.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::Function;
use super::coerce;
use super::memory_budget::MemoryBudget;
use super::overload::Overload;

/// Creates an entry of `FUNCTIONS`. `name` is in lower case. If untyped NULLs match several
/// overloads, the first of them is chosen.
pub(crate) fn scalar(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    entry(name, overloads, Volatility::Immutable, None)
}

/// Creates an entry for a function with a date part at this argument index.
pub(crate) fn scalar_with_date_part(name: &'static str, date_part: usize, overloads: Vec<Overload>) -> (&'static str, Function) {
    entry(name, overloads, Volatility::Immutable, Some(date_part))
}

/// Creates an entry for a function that returns a different value on each call (`RAND`).
pub(crate) fn volatile(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    entry(name, overloads, Volatility::Volatile, None)
}

/// Creates an entry for an operator. Operators do not coerce string literals to dates.
pub(crate) fn operator(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    with_coercion(name, overloads, Volatility::Immutable, None, Coercion::Types)
}

/// Creates an entry for a cast. The argument must have exactly the declared type.
pub(crate) fn cast(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    with_coercion(name, overloads, Volatility::Immutable, None, Coercion::None)
}

fn entry(name: &'static str, overloads: Vec<Overload>, volatility: Volatility, date_part: Option<usize>) -> (&'static str, Function) {
    with_coercion(name, overloads, volatility, date_part, Coercion::TypesAndLiterals)
}

fn with_coercion(
    name: &'static str,
    overloads: Vec<Overload>,
    volatility: Volatility,
    date_part: Option<usize>,
    coercion: Coercion,
) -> (&'static str, Function) {
    let overloaded = Overloaded { name, overloads, coercion, signature: Signature::user_defined(volatility) };
    (name, Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(overloaded)), date_part })
}

/// A function with several signatures. Equality and hash use the name, which is unique in
/// `FUNCTIONS`.
struct Overloaded {
    name: &'static str,
    overloads: Vec<Overload>,
    coercion: Coercion,
    signature: Signature,
}

/// The implicit conversions that are allowed between argument and parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coercion {
    None,
    Types,
    /// Between types, and from literals to the types that GoogleSQL allows.
    TypesAndLiterals,
}

impl Overloaded {
    /// Returns the overload with the smallest coercion distance. Ties go to the first.
    fn choose(&self, arguments: &[(&Field, bool)], admissible: impl Fn(&Overload) -> bool) -> Option<&Overload> {
        let distance = |overload: &Overload| -> Option<u32> {
            let parameters = arguments.iter().enumerate();
            parameters
                .map(|(index, (field, literal))| {
                    let literal = *literal && self.coercion == Coercion::TypesAndLiterals;
                    coerce::distance(field, literal, overload.parameter(index)?)
                        .filter(|distance| *distance == 0 || self.coercion != Coercion::None)
                })
                .sum()
        };
        self.overloads
            .iter()
            .filter(|overload| overload.accepts_count(arguments.len()) && admissible(overload))
            .filter_map(|overload| Some((distance(overload)?, overload)))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, overload)| overload)
    }
}

impl ScalarUDFImpl for Overloaded {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arguments.to_vec())
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Err(DataFusionError::Internal(format!("{} requires argument fields to determine its type", self.name)))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields: Vec<&Field> = arguments.arg_fields.iter().map(AsRef::as_ref).collect();
        let call_arguments: Vec<(&Field, bool)> =
            fields.iter().zip(arguments.scalar_arguments).map(|(field, value)| (*field, value.is_some())).collect();
        let first = match arguments.scalar_arguments.first() {
            Some(Some(ScalarValue::Utf8(Some(text)))) => Some(text.as_str()),
            _ => None,
        };
        let overload = self
            .choose(&call_arguments, |overload| overload.first_literal.is_none() || overload.first_literal == first)
            .ok_or_else(|| coerce::no_signature_error(self.name, &fields))?;
        match &overload.unsupported {
            Some(unsupported) => Err(unsupported.clone().into()),
            None => Ok(overload.returns.field(self.name)),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Constant folding can turn a literal into a column and a column into a literal. Planning
        // has checked the literals, so all arguments count as literals here.
        let call_arguments: Vec<(&Field, bool)> = call.arg_fields.iter().map(|field| (field.as_ref(), true)).collect();
        let returns = call.return_field.data_type();
        let Some(overload) = self.choose(&call_arguments, |overload| overload.returns.data_type() == *returns) else {
            let fields: Vec<&Field> = call.arg_fields.iter().map(AsRef::as_ref).collect();
            return Err(coerce::no_signature_error(self.name, &fields).into());
        };
        let arguments = call.args.iter().enumerate().filter_map(|(index, argument)| Some((argument, overload.parameter(index)?)));
        let arguments = arguments.map(|(argument, kind)| coerce::convert(argument, kind)).collect::<Result<Vec<_>>>()?;
        let mut budget = MemoryBudget::for_call(&call.config_options);
        let result = (overload.body)(&arguments, call.number_rows, &mut budget)?;
        budget.finish_call(result)
    }
}

impl std::fmt::Debug for Overloaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Overloaded {
    fn eq(&self, other: &Overloaded) -> bool {
        self.name == other.name
    }
}

impl Eq for Overloaded {}

impl Hash for Overloaded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
