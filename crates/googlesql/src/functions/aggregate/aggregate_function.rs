//! Definition of an aggregate function and its adapter to DataFusion's `AggregateUDFImpl`.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility};

use super::super::coerce::no_signature_error_for_types;
use super::group_rows::{GroupFunction, GroupRows};
use super::group_state::AccumulatorFactory;
use super::measured::MeasuredAccumulator;
use super::recomputing_accumulator::RecomputingAccumulator;

/// How the result of a group is computed.
pub(crate) enum Implementation {
    /// DataFusion's implementation.
    DataFusion(Arc<AggregateUDF>),
    /// DataFusion's implementation with DISTINCT.
    DataFusionDistinct(Arc<AggregateUDF>),
    /// Row by row, with a fixed-size state per group.
    Incremental(&'static dyn AccumulatorFactory),
    /// From all rows of the group.
    WholeGroup(GroupFunction),
}

/// The types and the implementation for one list of argument types.
pub(crate) struct AggregateCall {
    /// The types to which the arguments are converted.
    pub(crate) arguments: Vec<DataType>,
    pub(crate) returns: DataType,
    pub(crate) implementation: Implementation,
}

/// An aggregate function. Equality and hash use the name, which is unique in `FUNCTIONS`.
#[derive(Clone)]
pub(crate) struct AggregateFunction {
    pub(crate) name: &'static str,
    /// Returns none if there is no signature for these types.
    call: fn(&[DataType]) -> Option<AggregateCall>,
    /// The result for zero rows, if it is not NULL.
    empty_result: Option<ScalarValue>,
    signature: Signature,
}

impl AggregateFunction {
    pub(crate) fn new(name: &'static str, call: fn(&[DataType]) -> Option<AggregateCall>) -> AggregateFunction {
        AggregateFunction { name, call, empty_result: None, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// Creates a function whose result for zero rows is 0.
    pub(crate) fn counting(name: &'static str, call: fn(&[DataType]) -> Option<AggregateCall>) -> AggregateFunction {
        AggregateFunction { empty_result: Some(ScalarValue::Int64(Some(0))), ..AggregateFunction::new(name, call) }
    }

    fn call(&self, types: &[DataType]) -> Result<AggregateCall> {
        let normalized: Vec<DataType> = types.iter().map(normalize_layout).collect();
        Ok((self.call)(&normalized).ok_or_else(|| no_signature_error_for_types(self.name, types))?)
    }

    fn call_for_fields(&self, fields: &[FieldRef]) -> Result<AggregateCall> {
        self.call(&fields.iter().map(|field| field.data_type().clone()).collect::<Vec<_>>())
    }
}

/// Maps the Arrow layouts of STRING and BYTES to `Utf8` and `Binary`.
fn normalize_layout(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        other => other.clone(),
    }
}

impl AggregateUDFImpl for AggregateFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        // DataFusion replaces the message of an error here. It keeps the message of `return_type`.
        Ok(self.call(types).map_or_else(|_| types.to_vec(), |call| call.arguments))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(self.call(types)?.returns)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match self.call_for_fields(args.expr_fields)?.implementation {
            Implementation::DataFusion(function) => function.accumulator(args),
            Implementation::DataFusionDistinct(function) => function.accumulator(AccumulatorArgs { is_distinct: true, ..args }),
            Implementation::Incremental(factory) if args.is_distinct => {
                let rows = GroupRows::distinct(args.expr_fields, GroupFunction::Incremental(factory));
                Ok(Box::new(MeasuredAccumulator::new(Box::new(rows))))
            }
            Implementation::Incremental(factory) => Ok(factory.create_accumulator()),
            Implementation::WholeGroup(function) => {
                let rows = match args.is_distinct {
                    true => GroupRows::distinct(args.expr_fields, function),
                    false => GroupRows::all(args.expr_fields, function),
                };
                Ok(Box::new(MeasuredAccumulator::new(Box::new(rows))))
            }
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = args.name;
        let field = |(index, data_type)| Arc::new(Field::new(format_state_name(name, &format!("state{index}")), data_type, true));
        Ok(match self.call_for_fields(args.input_fields)?.implementation {
            Implementation::DataFusion(function) => function.state_fields(args)?,
            Implementation::DataFusionDistinct(function) => function.state_fields(StateFieldsArgs { is_distinct: true, ..args })?,
            Implementation::Incremental(factory) if !args.is_distinct => factory.state_types().into_iter().enumerate().map(field).collect(),
            Implementation::Incremental(_) | Implementation::WholeGroup(_) => {
                GroupRows::state_types(args.input_fields).into_iter().enumerate().map(field).collect()
            }
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.call_for_fields(args.expr_fields).map(|call| call.implementation) {
            Ok(Implementation::DataFusion(function)) => function.groups_accumulator_supported(args),
            Ok(Implementation::DataFusionDistinct(function)) => {
                function.groups_accumulator_supported(AccumulatorArgs { is_distinct: true, ..args })
            }
            Ok(Implementation::Incremental(_)) => !args.is_distinct,
            Ok(Implementation::WholeGroup(_)) | Err(_) => false,
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match self.call_for_fields(args.expr_fields)?.implementation {
            Implementation::DataFusion(function) => function.create_groups_accumulator(args),
            Implementation::DataFusionDistinct(function) => {
                function.create_groups_accumulator(AccumulatorArgs { is_distinct: true, ..args })
            }
            Implementation::Incremental(factory) => Ok(factory.create_groups_accumulator()),
            Implementation::WholeGroup(_) => datafusion::common::not_impl_err!("{} does not support grouped accumulation", self.name),
        }
    }

    /// Used for frames whose start moves. DataFusion subtracts the rows that leave the frame, which
    /// loses precision for FLOAT64. This implementation aggregates the frame again.
    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(RecomputingAccumulator::new(Arc::new(self.clone()), &args)))
    }

    /// The result for empty frames and for subqueries without rows.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.empty_result.clone().map_or_else(|| ScalarValue::try_from(data_type), Ok)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

impl fmt::Debug for AggregateFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for AggregateFunction {
    fn eq(&self, other: &AggregateFunction) -> bool {
        self.name == other.name
    }
}

impl Eq for AggregateFunction {}

impl Hash for AggregateFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
