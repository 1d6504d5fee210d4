//! A plan node that passes the rows of its input on in other batches, or counts their memory.
//!
//! `bounded_batches` inserts this node where DataFusion could otherwise allocate memory without a limit.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties};
use futures_util::stream::{StreamExt, try_unfold};

use super::even_batches::EvenBatches;
use super::row_multiplication::{JoinInput, MultipliedRows, UnnestInput};

/// What the node above needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Batches of even size, whose arrays are not parts of larger arrays.
    EvenBatches,
    /// Batches that a join can multiply.
    JoinInput,
    /// Batches whose array at this column can be unnested.
    UnnestInput { array: usize },
    /// The batches that a join or an UNNEST returns. Their memory is limited.
    MultipliedRows,
    /// Batches that a window node keeps, with this number of results for each row. Their memory is counted.
    WindowInput { results: usize },
}

/// Converts the batches of a stream.
pub(super) trait BatchConverter: Send {
    /// Takes a batch. All batches of `next` were taken before.
    fn push(&mut self, batch: RecordBatch) -> Result<()>;

    /// The input has ended.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    /// The next converted batch, or `None` if another batch of the input is needed.
    fn next(&mut self) -> Result<Option<RecordBatch>>;
}

#[derive(Debug)]
pub(super) struct BatchAdapterExec {
    input: Arc<dyn ExecutionPlan>,
    purpose: Purpose,
}

impl BatchAdapterExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, purpose: Purpose) -> BatchAdapterExec {
        BatchAdapterExec { input, purpose }
    }
}

impl ExecutionPlan for BatchAdapterExec {
    fn name(&self) -> &'static str {
        "BatchAdapterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().unwrap_or_else(|| Arc::clone(&self.input));
        Ok(Arc::new(BatchAdapterExec { input, purpose: self.purpose }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batch_size = context.session_config().batch_size();
        let converter: Box<dyn BatchConverter> = match self.purpose {
            Purpose::EvenBatches => Box::new(EvenBatches::new(self.schema(), batch_size)),
            Purpose::JoinInput => Box::new(JoinInput::new(batch_size)),
            Purpose::UnnestInput { array } => Box::new(UnnestInput::new(array, batch_size)),
            Purpose::MultipliedRows => Box::new(MultipliedRows::default()),
            Purpose::WindowInput { results } => {
                let reservation = MemoryConsumer::new("window").register(context.memory_pool());
                Box::new(WindowInput { reservation, results, batch: None })
            }
        };
        Ok(convert(self.input.execute(partition, context)?, converter))
    }
}

impl DisplayAs for BatchAdapterExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchAdapterExec: {:?}", self.purpose)
    }
}

/// The stream of the converted batches.
fn convert(input: SendableRecordBatchStream, converter: Box<dyn BatchConverter>) -> SendableRecordBatchStream {
    let schema = input.schema();
    let batches = try_unfold((Some(input), converter), |(mut input, mut converter)| async move {
        let batch = next_batch(&mut input, converter.as_mut()).await?;
        Ok::<_, DataFusionError>(batch.map(|batch| (batch, (input, converter))))
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}

/// The next converted batch. The input is `None` after its end.
async fn next_batch(input: &mut Option<SendableRecordBatchStream>, converter: &mut dyn BatchConverter) -> Result<Option<RecordBatch>> {
    loop {
        if let Some(batch) = converter.next()? {
            return Ok(Some(batch));
        }
        let Some(open) = input else { return Ok(None) };
        match open.next().await {
            Some(batch) => converter.push(batch?)?,
            None => {
                converter.finish()?;
                *input = None;
            }
        }
    }
}

/// Counts the memory of all batches until the stream is dropped.
struct WindowInput {
    reservation: MemoryReservation,
    results: usize,
    batch: Option<RecordBatch>,
}

/// The batches of a window node, and the one batch that they become.
const WINDOW_COPIES: usize = 2;

/// The bytes of a result before it becomes a column.
const RESULT_BYTES: usize = size_of::<ScalarValue>();

impl BatchConverter for WindowInput {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = WINDOW_COPIES * batch_bytes(&batch) + batch.num_rows() * self.results * RESULT_BYTES;
        self.reservation.try_grow(bytes)?;
        self.batch = Some(batch);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.batch.take())
    }
}

/// Bytes of the rows of the batch. Its arrays can be parts of larger ones.
pub(super) fn batch_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(array_bytes).sum()
}

pub(super) fn array_bytes(array: &ArrayRef) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or_else(|_| array.get_array_memory_size())
}
