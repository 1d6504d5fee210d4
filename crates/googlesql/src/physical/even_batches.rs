//! Copies rows to batches of even size, by rows and by bytes.
//!
//! A cross join returns one batch for each row of its left input. The batches of an UNNEST are parts of one array, and
//! DataFusion counts the memory of the whole array for each.

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;

use super::batch_adapter::{BatchConverter, batch_bytes};
use super::row_multiplication::MAX_BATCH_BYTES;

pub(super) struct EvenBatches {
    coalescer: BatchCoalescer,
    /// Bytes of the rows since the last flush.
    pending: usize,
}

impl EvenBatches {
    /// A batch of a single array is not copied, so a batch has rows of two batches at least.
    pub(super) fn new(schema: SchemaRef, batch_size: usize) -> EvenBatches {
        EvenBatches { coalescer: BatchCoalescer::new(schema, 2 * batch_size + 1), pending: 0 }
    }
}

impl BatchConverter for EvenBatches {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.pending += batch_bytes(&batch);
        self.coalescer.push_batch(batch)?;
        if self.pending > MAX_BATCH_BYTES {
            self.finish()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.pending = 0;
        Ok(self.coalescer.finish_buffered_batch()?)
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.coalescer.next_completed_batch())
    }
}
