//! An accumulator for frames whose start moves. It keeps the rows of the frame and aggregates them
//! again for each result. Rows leave a frame in the order in which they entered.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::{Result, ScalarValue, not_impl_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};

#[derive(Debug)]
pub(crate) struct RecomputingAccumulator {
    aggregate: Arc<dyn AggregateUDFImpl>,
    arguments: OwnedAccumulatorArgs,
    frame: VecDeque<Vec<ArrayRef>>,
}

/// The owned form of [`AccumulatorArgs`].
#[derive(Debug)]
pub(super) struct OwnedAccumulatorArgs {
    return_field: FieldRef,
    schema: Schema,
    ignore_nulls: bool,
    order_bys: Vec<PhysicalSortExpr>,
    is_reversed: bool,
    name: String,
    is_distinct: bool,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    expr_fields: Vec<FieldRef>,
}

impl OwnedAccumulatorArgs {
    pub(super) fn new(args: &AccumulatorArgs) -> OwnedAccumulatorArgs {
        OwnedAccumulatorArgs {
            return_field: Arc::clone(&args.return_field),
            schema: args.schema.clone(),
            ignore_nulls: args.ignore_nulls,
            order_bys: args.order_bys.to_vec(),
            is_reversed: args.is_reversed,
            name: args.name.to_owned(),
            is_distinct: args.is_distinct,
            exprs: args.exprs.to_vec(),
            expr_fields: args.expr_fields.to_vec(),
        }
    }

    pub(super) fn borrowed(&self) -> AccumulatorArgs<'_> {
        AccumulatorArgs {
            return_field: Arc::clone(&self.return_field),
            schema: &self.schema,
            ignore_nulls: self.ignore_nulls,
            order_bys: &self.order_bys,
            is_reversed: self.is_reversed,
            name: &self.name,
            is_distinct: self.is_distinct,
            exprs: &self.exprs,
            expr_fields: &self.expr_fields,
        }
    }
}

impl RecomputingAccumulator {
    pub(crate) fn new(aggregate: Arc<dyn AggregateUDFImpl>, args: &AccumulatorArgs) -> RecomputingAccumulator {
        RecomputingAccumulator { aggregate, arguments: OwnedAccumulatorArgs::new(args), frame: VecDeque::new() }
    }
}

impl Accumulator for RecomputingAccumulator {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.frame.push_back(values.to_vec());
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut leaving = values.first().map_or(0, |column| column.len());
        while leaving > 0 {
            let Some(mut batch) = self.frame.pop_front() else { break };
            let rows = batch.first().map_or(0, |column| column.len());
            if rows > leaving {
                batch.iter_mut().for_each(|column| *column = column.slice(leaving, rows - leaving));
                self.frame.push_front(batch);
            }
            leaving = leaving.saturating_sub(rows);
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut accumulator = self.aggregate.accumulator(self.arguments.borrowed())?;
        self.frame.iter().try_for_each(|batch| accumulator.update_batch(batch))?;
        accumulator.evaluate()
    }

    fn size(&self) -> usize {
        let bytes = |array: &ArrayRef| array.get_array_memory_size();
        size_of::<Self>() + self.frame.iter().flatten().map(bytes).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        not_impl_err!("window frames have no partial states")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        not_impl_err!("window frames have no partial states")
    }
}
