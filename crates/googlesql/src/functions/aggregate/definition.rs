//! One aggregate function, as data, and as DataFusion wants it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility};

use super::super::coerce::no_signature_of;
use super::fold::Folding;
use super::recompute::Recompute;
use super::rows::{GroupRows, Summary};

/// How the values of a group become one.
pub(crate) enum Means {
    /// As DataFusion's function does it.
    DataFusion(Arc<AggregateUDF>),
    /// The same with DISTINCT.
    Different(Arc<AggregateUDF>),
    /// By a few numbers per group.
    Fold(&'static dyn Folding),
    /// By looking at all rows of the group at once.
    Rows(Summary),
}

/// What a call with such arguments is.
pub(crate) struct Call {
    /// What the arguments are made into first.
    pub(crate) arguments: Vec<DataType>,
    pub(crate) returns: DataType,
    pub(crate) means: Means,
}

/// A function by the name it has in `FUNCTIONS`, which is unique: equality and hash go by it.
#[derive(Clone)]
pub(crate) struct Aggregate {
    pub(crate) name: &'static str,
    /// None if there is no signature for arguments of these types.
    call: fn(&[DataType]) -> Option<Call>,
    /// What there is of no rows, where it is not a NULL.
    of_none: Option<ScalarValue>,
    signature: Signature,
}

impl Aggregate {
    pub(crate) fn new(name: &'static str, call: fn(&[DataType]) -> Option<Call>) -> Aggregate {
        Aggregate { name, call, of_none: None, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// One that is 0 where there are no rows.
    pub(crate) fn counting(name: &'static str, call: fn(&[DataType]) -> Option<Call>) -> Aggregate {
        Aggregate { of_none: Some(ScalarValue::Int64(Some(0))), ..Aggregate::new(name, call) }
    }

    fn call(&self, types: &[DataType]) -> Result<Call> {
        let plain: Vec<DataType> = types.iter().map(plain).collect();
        Ok((self.call)(&plain).ok_or_else(|| no_signature_of(self.name, types))?)
    }

    fn call_of(&self, fields: &[FieldRef]) -> Result<Call> {
        self.call(&fields.iter().map(|field| field.data_type().clone()).collect::<Vec<_>>())
    }
}

/// Of the ways to lay out text or bytes, the one that functions know.
fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        other => other.clone(),
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        // DataFusion would bury the failure in words of its own; that of `return_type` arrives.
        Ok(self.call(types).map_or_else(|_| types.to_vec(), |call| call.arguments))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(self.call(types)?.returns)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match self.call_of(args.expr_fields)?.means {
            Means::DataFusion(function) => function.accumulator(args),
            Means::Different(function) => function.accumulator(AccumulatorArgs { is_distinct: true, ..args }),
            Means::Fold(fold) if args.is_distinct => Ok(Box::new(GroupRows::distinct(args.expr_fields, Summary::Fold(fold)))),
            Means::Fold(fold) => Ok(fold.one()),
            Means::Rows(summary) if args.is_distinct => Ok(Box::new(GroupRows::distinct(args.expr_fields, summary))),
            Means::Rows(summary) => Ok(Box::new(GroupRows::all(args.expr_fields, summary))),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = args.name;
        let field = |(index, data_type)| Arc::new(Field::new(format_state_name(name, &format!("state{index}")), data_type, true));
        Ok(match self.call_of(args.input_fields)?.means {
            Means::DataFusion(function) => function.state_fields(args)?,
            Means::Different(function) => function.state_fields(StateFieldsArgs { is_distinct: true, ..args })?,
            Means::Fold(fold) if !args.is_distinct => fold.state_types().into_iter().enumerate().map(field).collect(),
            Means::Fold(_) | Means::Rows(_) => GroupRows::state_types(args.input_fields).into_iter().enumerate().map(field).collect(),
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match self.call_of(args.expr_fields).map(|call| call.means) {
            Ok(Means::DataFusion(function)) => function.groups_accumulator_supported(args),
            Ok(Means::Different(function)) => function.groups_accumulator_supported(AccumulatorArgs { is_distinct: true, ..args }),
            Ok(Means::Fold(_)) => !args.is_distinct,
            Ok(Means::Rows(_)) | Err(_) => false,
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match self.call_of(args.expr_fields)?.means {
            Means::DataFusion(function) => function.create_groups_accumulator(args),
            Means::Different(function) => function.create_groups_accumulator(AccumulatorArgs { is_distinct: true, ..args }),
            Means::Fold(fold) => Ok(fold.many()),
            Means::Rows(_) => datafusion::common::not_impl_err!("{} aggregates one group at a time", self.name),
        }
    }

    /// For frames that lose rows at their start. What DataFusion would subtract from a running
    /// value (which FLOAT64 does not survive) is computed anew.
    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Recompute::new(Arc::new(self.clone()), &args)))
    }

    /// For empty frames, and subqueries that find nothing.
    fn default_value(&self, data_type: &DataType) -> Result<ScalarValue> {
        self.of_none.clone().map_or_else(|| ScalarValue::try_from(data_type), Ok)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Aggregate) -> bool {
        self.name == other.name
    }
}

impl Eq for Aggregate {}

impl Hash for Aggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
