//! A scalar function that runs a plan for all rows of a batch at once, and returns one value per row.
//!
//! `resolve::row_subquery` builds the plan. The plan's output has two columns: the row's number and the value.

use std::future::poll_fn;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, RecordBatch, UInt64Array, new_empty_array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{concat, take};
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, TableType, Volatility};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::memory::MemoryStream;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;

use super::block_on;
use super::row_multiplication::smaller_batch_size;
use crate::error::QueryError;
use crate::query_limits::QueryLimits;

/// How the values of one row become the function's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The value, or NULL if there is none. More than one value is an error.
    Scalar,
    /// An array of the values.
    Array,
    /// Whether there is a value.
    Exists,
}

#[derive(Debug)]
pub(crate) struct BatchFunction {
    name: String,
    plan: Arc<dyn ExecutionPlan>,
    shape: Shape,
    return_type: DataType,
    runtime: Arc<RuntimeEnv>,
    signature: Signature,
}

impl BatchFunction {
    pub(crate) fn new(
        name: String,
        plan: Arc<dyn ExecutionPlan>,
        shape: Shape,
        return_type: DataType,
        runtime: Arc<RuntimeEnv>,
    ) -> BatchFunction {
        BatchFunction { name, plan, shape, return_type, runtime, signature: Signature::variadic_any(Volatility::Immutable) }
    }

    /// Runs the plan for the columns. Returns the row numbers and the values.
    fn run(&self, columns: Vec<ArrayRef>, rows: usize, limits: Option<&QueryLimits>) -> Result<(Int64Array, ArrayRef)> {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
        let batch = Batch(std::iter::once(numbers).chain(columns).collect());
        let mut config = SessionConfig::new().with_target_partitions(1).with_extension(Arc::new(batch));
        loop {
            let result = self.run_once(config.clone(), limits);
            match result.as_ref().err().and_then(smaller_batch_size).filter(|smaller| *smaller < config.batch_size()) {
                Some(smaller) => config = config.with_batch_size(smaller),
                None => return result,
            }
        }
    }

    fn run_once(&self, config: SessionConfig, limits: Option<&QueryLimits>) -> Result<(Int64Array, ArrayRef)> {
        let context = TaskContext::default().with_session_config(config).with_runtime(Arc::clone(&self.runtime));
        let plan = reset_plan_states(Arc::clone(&self.plan))?;
        let reservation = MemoryConsumer::new("subquery").register(&self.runtime.memory_pool);
        let mut stream = execute_stream(plan, Arc::new(context))?;
        let batches = block_on::block_on_worker(async {
            let mut batches = Vec::new();
            while let Some(batch) = poll_fn(|waiting| {
                // A worker thread cannot be aborted while it blocks.
                if limits.is_some_and(QueryLimits::is_cancelled) {
                    return Poll::Ready(Some(Err(QueryError::Closing.into())));
                }
                stream.as_mut().poll_next(waiting)
            })
            .await
            {
                let batch = batch?;
                // The batches, and the columns that they become.
                reservation.try_grow(batch.get_array_memory_size().saturating_mul(2))?;
                batches.push(batch);
            }
            Ok::<_, DataFusionError>(batches)
        })?;
        if batches.is_empty() {
            let values = match &self.return_type {
                DataType::List(item) if self.shape == Shape::Array => new_empty_array(item.data_type()),
                _ => new_empty_array(self.plan.schema().field(1).data_type()),
            };
            return Ok((Int64Array::new_null(0), values));
        }
        let all = |index: usize| {
            let columns: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(index).as_ref()).collect();
            concat(&columns)
        };
        Ok((all(0)?.as_primitive::<Int64Type>().clone(), all(1)?))
    }
}

impl PartialEq for BatchFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for BatchFunction {}

impl Hash for BatchFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for BatchFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.return_type.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let columns = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
        let limits = QueryLimits::of(&args.config_options).map(Arc::as_ref);
        let (numbers, values) = self.run(columns, rows, limits)?;
        // Number of values per row. A plan without ORDER BY returns them in any order.
        let mut counts = vec![0_usize; rows];
        for number in numbers.values() {
            counts[*number as usize] += 1;
        }
        let array: ArrayRef = match self.shape {
            Shape::Exists => Arc::new(BooleanArray::from_iter(counts.iter().map(|count| Some(*count > 0)))),
            Shape::Scalar => {
                if counts.iter().any(|count| *count > 1) {
                    return exec_err!("Scalar subquery produced more than one element");
                }
                let mut positions: Vec<Option<u64>> = vec![None; rows];
                for (position, number) in numbers.values().iter().enumerate() {
                    positions[*number as usize] = Some(position as u64);
                }
                take(&values, &UInt64Array::from(positions), None)?
            }
            Shape::Array => {
                let mut next = Vec::with_capacity(rows);
                let mut from = 0;
                for count in &counts {
                    next.push(from);
                    from += count;
                }
                let mut positions = vec![0_u64; values.len()];
                for (position, number) in numbers.values().iter().enumerate() {
                    let at = &mut next[*number as usize];
                    positions[*at] = position as u64;
                    *at += 1;
                }
                let DataType::List(item) = &self.return_type else {
                    return exec_err!("the return type of an ARRAY subquery is not an array");
                };
                let values = take(&values, &UInt64Array::from(positions), None)?;
                Arc::new(ListArray::try_new(Arc::clone(item), OffsetBuffer::from_lengths(counts), values, None)?)
            }
        };
        Ok(ColumnarValue::Array(array))
    }
}

/// The columns of the batch. The session config passes them to the plan's scan.
struct Batch(Vec<ArrayRef>);

/// The table that represents the batch in the plan.
#[derive(Debug)]
pub(crate) struct BatchTable {
    schema: SchemaRef,
}

impl BatchTable {
    pub(crate) fn new(schema: SchemaRef) -> BatchTable {
        BatchTable { schema }
    }
}

#[async_trait]
impl TableProvider for BatchTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partition = Arc::new(BatchPartition { schema: Arc::clone(&self.schema) });
        Ok(Arc::new(StreamingTableExec::try_new(self.schema(), vec![partition], projection, None, false, limit)?))
    }
}

#[derive(Debug)]
struct BatchPartition {
    schema: SchemaRef,
}

impl PartitionStream for BatchPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batch = context
            .session_config()
            .get_extension::<Batch>()
            .ok_or_else(|| exec_datafusion_err!("the session of a subquery has no batch"))
            .and_then(|batch| Ok(RecordBatch::try_new(Arc::clone(&self.schema), batch.0.clone())?));
        let schema = Arc::clone(&self.schema);
        match batch.and_then(|batch| MemoryStream::try_new(vec![batch], schema, None)) {
            Ok(stream) => Box::pin(stream),
            Err(error) => error_stream(Arc::clone(&self.schema), error),
        }
    }
}

/// A stream that returns one error.
pub(crate) fn error_stream(schema: SchemaRef, error: datafusion::common::DataFusionError) -> SendableRecordBatchStream {
    let builder = datafusion::physical_plan::stream::RecordBatchReceiverStream::builder(schema, 1);
    // The channel has capacity for one message.
    let _ = builder.tx().try_send(Err(error));
    builder.build()
}
