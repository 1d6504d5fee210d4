//! Scalar functions whose result type depends on the argument types. [`Overload`](super::overload::Overload)
//! covers fixed signatures.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::Function;
use super::coerce;
use super::memory_budget::{ArrayBytes, MemoryBudget};
use super::overload::scalar_from_array;
use super::sql_type::SqlType;

/// The signature and body for one list of arguments.
pub(crate) struct ScalarCall {
    /// The types to which the arguments are converted.
    pub(crate) parameters: Vec<FieldRef>,
    pub(crate) returns: FieldRef,
    pub(crate) body: Body,
}

/// Computes a result column. The first argument has the parameters' columns, of equal length and
/// with NULLs. The second has the parameters' fields. A body whose result can be larger than its arguments reserves the
/// memory of the result before it allocates it.
pub(crate) type Body = fn(&[ArrayRef], &[FieldRef], &mut MemoryBudget) -> Result<ArrayRef>;

/// The type of an argument, and whether the argument is a literal.
pub(crate) type CallArgument<'a> = (&'a FieldRef, bool);

/// Creates an entry of `FUNCTIONS`. `call` returns none if there is no signature for the arguments.
pub(crate) fn generic(name: &'static str, call: fn(&[CallArgument]) -> Option<ScalarCall>) -> (&'static str, Function) {
    entry(name, call, Volatility::Immutable)
}

/// Creates an entry for a function that constant folding must not evaluate.
pub(crate) fn generic_volatile(name: &'static str, call: fn(&[CallArgument]) -> Option<ScalarCall>) -> (&'static str, Function) {
    entry(name, call, Volatility::Volatile)
}

fn entry(name: &'static str, call: fn(&[CallArgument]) -> Option<ScalarCall>, volatility: Volatility) -> (&'static str, Function) {
    let function = GenericFunction { name, call, signature: Signature::user_defined(volatility) };
    (name, Function::Scalar { udf: Arc::new(ScalarUDF::new_from_impl(function)), date_part: None })
}

/// Creates a nullable field without metadata.
pub(crate) fn nullable_field(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("", data_type, true))
}

/// Returns the common supertype of the arguments.
pub(crate) fn supertype(arguments: &[CallArgument]) -> Option<FieldRef> {
    let known: Vec<&CallArgument> = arguments.iter().filter(|(field, _)| !field.data_type().is_null()).collect();
    let Some((first, _)) = known.first() else { return Some(nullable_field(DataType::Int64)) };
    if SqlType::of(first).is_none() {
        let same = known.iter().all(|(field, _)| field.data_type() == first.data_type());
        return same.then(|| Arc::clone(first));
    }
    let candidates = known.iter().filter_map(|(field, _)| SqlType::of(field));
    let distance =
        |sql_type: SqlType| -> Option<u32> { known.iter().map(|(field, literal)| coerce::distance(field, *literal, sql_type)).sum() };
    let nearest = candidates.filter_map(|sql_type| Some((distance(sql_type)?, sql_type))).min_by_key(|(distance, _)| *distance)?;
    Some(nearest.1.field(""))
}

/// Equality and hash use the name, which is unique in `FUNCTIONS`.
struct GenericFunction {
    name: &'static str,
    call: fn(&[CallArgument]) -> Option<ScalarCall>,
    signature: Signature,
}

impl ScalarUDFImpl for GenericFunction {
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
        Err(DataFusionError::Internal(format!("{} requires argument fields to determine its type", self.name)))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let literal = args.scalar_arguments.iter().map(Option::is_some);
        let arguments: Vec<CallArgument> = args.arg_fields.iter().zip(literal).collect();
        match (self.call)(&arguments) {
            Some(call) => Ok(Arc::new(call.returns.as_ref().clone().with_name(self.name).with_nullable(true))),
            None => {
                let fields: Vec<&Field> = args.arg_fields.iter().map(AsRef::as_ref).collect();
                Err(coerce::no_signature_error(self.name, &fields).into())
            }
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // Constant folding can turn a literal into a column and a column into a literal. Planning
        // has checked the literals, so all arguments count as literals here.
        let arguments: Vec<CallArgument> = args.arg_fields.iter().map(|field| (field, true)).collect();
        let Some(call) = (self.call)(&arguments) else {
            return Err(DataFusionError::Internal(format!("{} has no signature for the planned arguments", self.name)));
        };
        // A volatile function runs once per row, and not at all for zero rows.
        let volatile = self.signature.volatility == Volatility::Volatile;
        let constant = !volatile && args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let mut budget = MemoryBudget::for_call(&args.config_options);
        let columns = args.args.iter().zip(&call.parameters).map(|(argument, parameter)| convert(argument, parameter, rows, &mut budget));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let result = (call.body)(&columns, &call.parameters, &mut budget)?;
        let result = match result.data_type() == args.return_field.data_type() {
            true => result,
            false => cast(&result, args.return_field.data_type())?,
        };
        budget.finish_value(Some(&ArrayBytes(result.get_array_memory_size())))?;
        budget.finish_call(match constant {
            true => ColumnarValue::Scalar(scalar_from_array(&result)?),
            false => ColumnarValue::Array(result),
        })
    }
}

/// Converts an argument to a column. A constant becomes a column with one copy for each row.
fn convert(argument: &ColumnarValue, parameter: &FieldRef, rows: usize, budget: &mut MemoryBudget) -> Result<ArrayRef> {
    if let ColumnarValue::Scalar(value) = argument {
        budget.reserve_bytes(value.size().saturating_mul(rows))?;
    }
    let argument = match SqlType::of(parameter) {
        Some(sql_type) => coerce::convert(argument, sql_type)?,
        None => argument.clone(),
    };
    let array = argument.into_array(rows)?;
    Ok(match array.data_type() == parameter.data_type() {
        true => array,
        false => cast(&array, parameter.data_type())?,
    })
}

impl std::fmt::Debug for GenericFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for GenericFunction {
    fn eq(&self, other: &GenericFunction) -> bool {
        self.name == other.name
    }
}

impl Eq for GenericFunction {}

impl Hash for GenericFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
