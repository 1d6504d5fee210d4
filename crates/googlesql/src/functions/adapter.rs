//! A set of [`Overload`]s as one of DataFusion's scalar functions.
//!
//! DataFusion's own coercion is kept out of it: arguments are taken as they come, the overload is
//! chosen where literals can still be told from columns ([`coerce`](mod@super::coerce)), and the
//! arguments become what the overload declares right before it runs.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use super::Function;
use super::coerce;
use super::overload::Overload;

/// An entry of `FUNCTIONS`: a name in lower case and its signatures, the preferred one first where
/// NULLs leave the choice open.
pub(crate) fn scalar(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    entry(name, overloads, Volatility::Immutable, None)
}

/// The same for a function whose argument at this index is a date part.
pub(crate) fn scalar_with_part(name: &'static str, part: usize, overloads: Vec<Overload>) -> (&'static str, Function) {
    entry(name, overloads, Volatility::Immutable, Some(part))
}

/// The same for a function that gives another value every time (`rand`).
pub(crate) fn volatile(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    entry(name, overloads, Volatility::Volatile, None)
}

/// An operator: string literals do not stand for dates there.
pub(crate) fn operator(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    with_coercion(name, overloads, Volatility::Immutable, None, Coercion::BetweenTypes)
}

/// A cast: the argument is of the declared type or it cannot be cast.
pub(crate) fn cast(name: &'static str, overloads: Vec<Overload>) -> (&'static str, Function) {
    with_coercion(name, overloads, Volatility::Immutable, None, Coercion::None)
}

fn entry(name: &'static str, overloads: Vec<Overload>, volatility: Volatility, part: Option<usize>) -> (&'static str, Function) {
    with_coercion(name, overloads, volatility, part, Coercion::OfLiterals)
}

fn with_coercion(
    name: &'static str,
    overloads: Vec<Overload>,
    volatility: Volatility,
    part: Option<usize>,
    coercion: Coercion,
) -> (&'static str, Function) {
    let overloaded = Overloaded { name, overloads, coercion, signature: Signature::user_defined(volatility) };
    (name, Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(overloaded)), part })
}

/// A function by the name it has in `FUNCTIONS`, which is unique: equality and hash go by it.
struct Overloaded {
    name: &'static str,
    overloads: Vec<Overload>,
    coercion: Coercion,
    signature: Signature,
}

/// How far an argument may be from its parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coercion {
    None,
    BetweenTypes,
    /// Between types, and a literal to what it can be read as.
    OfLiterals,
}

impl Overloaded {
    /// The overload nearest to the arguments; of equally near ones the first.
    fn choose(&self, arguments: &[(&Field, bool)], admissible: impl Fn(&Overload) -> bool) -> Option<&Overload> {
        let distance = |overload: &Overload| -> Option<u32> {
            let parameters = arguments.iter().enumerate();
            parameters
                .map(|(index, (field, literal))| {
                    let literal = *literal && self.coercion == Coercion::OfLiterals;
                    coerce::distance(field, literal, overload.parameter(index)?)
                        .filter(|distance| *distance == 0 || self.coercion != Coercion::None)
                })
                .sum()
        };
        self.overloads
            .iter()
            .filter(|overload| overload.takes(arguments.len()) && admissible(overload))
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
        Err(DataFusionError::Internal(format!("{} tells its type from fields", self.name)))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let fields: Vec<&Field> = arguments.arg_fields.iter().map(AsRef::as_ref).collect();
        let given: Vec<(&Field, bool)> =
            fields.iter().zip(arguments.scalar_arguments).map(|(field, value)| (*field, value.is_some())).collect();
        let first = match arguments.scalar_arguments.first() {
            Some(Some(ScalarValue::Utf8(Some(text)))) => Some(text.as_str()),
            _ => None,
        };
        let overload = self
            .choose(&given, |overload| overload.first.is_none() || overload.first == first)
            .ok_or_else(|| coerce::no_signature(self.name, &fields))?;
        match &overload.refusal {
            Some(refusal) => Err(refusal.clone().into()),
            None => Ok(overload.returns.field(self.name)),
        }
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Folding may have made a literal a column or the reverse: what planning let through is
        // let through again.
        let given: Vec<(&Field, bool)> = call.arg_fields.iter().map(|field| (field.as_ref(), true)).collect();
        let returns = call.return_field.data_type();
        let Some(overload) = self.choose(&given, |overload| overload.returns.data_type() == *returns) else {
            let fields: Vec<&Field> = call.arg_fields.iter().map(AsRef::as_ref).collect();
            return Err(coerce::no_signature(self.name, &fields).into());
        };
        let arguments = call.args.iter().enumerate().filter_map(|(index, argument)| Some((argument, overload.parameter(index)?)));
        let arguments = arguments.map(|(argument, kind)| coerce::convert(argument, kind)).collect::<Result<Vec<_>>>()?;
        (overload.body)(&arguments, call.number_rows)
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
