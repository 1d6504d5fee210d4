//! A scalar function of any type: what an [`Overload`](super::overload::Overload) cannot say.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::Function;
use super::coerce;
use super::kind::Kind;
use super::overload::constant_of;

/// What a call with some arguments is.
pub(crate) struct Call {
    /// What the arguments are made into first.
    pub(crate) parameters: Vec<FieldRef>,
    pub(crate) returns: FieldRef,
    pub(crate) body: Body,
}

/// Over columns of the parameters' types and of equal length; they may be NULL. The second are the
/// parameters' fields.
pub(crate) type Body = fn(&[ArrayRef], &[FieldRef]) -> Result<ArrayRef>;

/// An argument: its type, and whether it is a literal.
pub(crate) type Given<'a> = (&'a FieldRef, bool);

/// An entry of `FUNCTIONS`. `call` is none where there is no signature for the arguments.
pub(crate) fn generic(name: &'static str, call: fn(&[Given]) -> Option<Call>) -> (&'static str, Function) {
    entry(name, call, Volatility::Immutable)
}

/// The same for a function that is not to be evaluated before its turn.
pub(crate) fn generic_volatile(name: &'static str, call: fn(&[Given]) -> Option<Call>) -> (&'static str, Function) {
    entry(name, call, Volatility::Volatile)
}

fn entry(name: &'static str, call: fn(&[Given]) -> Option<Call>, volatility: Volatility) -> (&'static str, Function) {
    let generic = Generic { name, call, signature: Signature::user_defined(volatility) };
    (name, Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(generic)), part: None })
}

/// A nullable field of a type that no metadata tells from others.
pub(crate) fn plain(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("", data_type, true))
}

/// The type that all of them can be made into.
pub(crate) fn supertype(given: &[Given]) -> Option<FieldRef> {
    let known: Vec<&Given> = given.iter().filter(|(field, _)| !field.data_type().is_null()).collect();
    let Some((first, _)) = known.first() else { return Some(plain(DataType::Int64)) };
    if Kind::of(first).is_none() {
        let same = known.iter().all(|(field, _)| field.data_type() == first.data_type());
        return same.then(|| Arc::clone(first));
    }
    let candidates = known.iter().filter_map(|(field, _)| Kind::of(field));
    let distance = |kind: Kind| -> Option<u32> { known.iter().map(|(field, literal)| coerce::distance(field, *literal, kind)).sum() };
    let nearest = candidates.filter_map(|kind| Some((distance(kind)?, kind))).min_by_key(|(distance, _)| *distance)?;
    Some(nearest.1.field(""))
}

/// Equality and hash go by the name, which is unique in `FUNCTIONS`.
struct Generic {
    name: &'static str,
    call: fn(&[Given]) -> Option<Call>,
    signature: Signature,
}

impl ScalarUDFImpl for Generic {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(types.to_vec())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Err(DataFusionError::Internal(format!("{} tells its type from fields", self.name)))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let literal = args.scalar_arguments.iter().map(Option::is_some);
        let given: Vec<Given> = args.arg_fields.iter().zip(literal).collect();
        match (self.call)(&given) {
            Some(call) => Ok(Arc::new(call.returns.as_ref().clone().with_name(self.name).with_nullable(true))),
            None => {
                let fields: Vec<&Field> = args.arg_fields.iter().map(AsRef::as_ref).collect();
                Err(coerce::no_signature(self.name, &fields).into())
            }
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Folding may have made a literal a column or the reverse: what planning let through is
        // let through again.
        let given: Vec<Given> = args.arg_fields.iter().map(|field| (field, true)).collect();
        let Some(call) = (self.call)(&given) else {
            return Err(DataFusionError::Internal(format!("{} was planned and is refused now", self.name)));
        };
        // Of what is volatile each row counts: for no rows it is not to be evaluated at all.
        let volatile = self.signature.volatility == Volatility::Volatile;
        let constant = !volatile && args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns = args.args.iter().zip(&call.parameters).map(|(argument, parameter)| converted(argument, parameter, rows));
        let result = (call.body)(&columns.collect::<Result<Vec<_>>>()?, &call.parameters)?;
        let result = match result.data_type() == args.return_field.data_type() {
            true => result,
            false => cast(&result, args.return_field.data_type())?,
        };
        Ok(match constant {
            true => ColumnarValue::Scalar(constant_of(&result)?),
            false => ColumnarValue::Array(result),
        })
    }
}

fn converted(argument: &ColumnarValue, parameter: &FieldRef, rows: usize) -> Result<ArrayRef> {
    let argument = match Kind::of(parameter) {
        Some(kind) => coerce::convert(argument, kind)?,
        None => argument.clone(),
    };
    let array = argument.into_array(rows)?;
    Ok(match array.data_type() == parameter.data_type() {
        true => array,
        false => cast(&array, parameter.data_type())?,
    })
}

impl std::fmt::Debug for Generic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Generic {
    fn eq(&self, other: &Generic) -> bool {
        self.name == other.name
    }
}

impl Eq for Generic {}

impl Hash for Generic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
