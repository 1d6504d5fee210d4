//! A limit on the memory that one function call can allocate.
//!
//! `REPEAT` or `GENERATE_ARRAY` can return a megabyte for each of a batch's thousands of rows. The
//! engine counts the memory of finished batches only. The budget counts each value as it is created.

use std::sync::Arc;

use datafusion::arrow::datatypes::{IntervalMonthDayNano, i256};
use datafusion::common::config::ConfigOptions;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::ColumnarValue;

use super::function_error::FunctionError;
use crate::query_limits::QueryLimits;

/// Maximum bytes that one call returns for one batch. (Arrow's text columns cannot exceed 2 GiB.)
pub(super) const MAX_BATCH_BYTES: usize = 256 * 1024 * 1024;

/// The memory of the query is reserved in steps of this size.
const RESERVATION_STEP_BYTES: usize = 64 * 1024;

pub(crate) trait MemorySize {
    /// The size of each value, if all values have the same size.
    const FIXED: Option<usize>;

    fn bytes(&self) -> usize;
}

macro_rules! fixed {
    ($($number:ty)*) => {$(
        impl MemorySize for $number {
            const FIXED: Option<usize> = Some(size_of::<$number>());

            fn bytes(&self) -> usize {
                size_of::<$number>()
            }
        }
    )*};
}

fixed! { bool u8 i32 i64 i128 i256 f64 IntervalMonthDayNano }

impl MemorySize for String {
    const FIXED: Option<usize> = None;

    fn bytes(&self) -> usize {
        size_of::<String>() + self.len()
    }
}

impl<T: MemorySize> MemorySize for Vec<T> {
    const FIXED: Option<usize> = None;

    fn bytes(&self) -> usize {
        let elements = match T::FIXED {
            Some(bytes) => bytes * self.len(),
            None => self.iter().map(T::bytes).sum(),
        };
        size_of::<Vec<T>>() + elements
    }
}

/// The size of a finished array.
pub(crate) struct ArrayBytes(pub(crate) usize);

impl MemorySize for ArrayBytes {
    const FIXED: Option<usize> = None;

    fn bytes(&self) -> usize {
        self.0
    }
}

/// The memory that one call may still allocate: the limit of a batch, and the memory of the query.
pub(crate) struct MemoryBudget {
    limits: Option<Arc<QueryLimits>>,
    reservation: Option<MemoryReservation>,
    /// Bytes of the finished values.
    used: usize,
    /// Bytes that the function reserved for the current value.
    pending: usize,
    max_bytes: usize,
}

impl MemoryBudget {
    /// The budget of a call in the query of this configuration.
    pub(crate) fn for_call(options: &ConfigOptions) -> MemoryBudget {
        let limits = QueryLimits::of(options).map(Arc::clone);
        let reservation = limits.as_ref().map(|limits| limits.reservation());
        MemoryBudget { limits, reservation, used: 0, pending: 0, max_bytes: MAX_BATCH_BYTES }
    }

    /// Reserves memory for the current value, before the function allocates it.
    pub(crate) fn reserve_bytes(&mut self, bytes: usize) -> Result<(), FunctionError> {
        self.pending = self.pending.saturating_add(bytes);
        self.grow()
    }

    /// Counts a finished value. It contains the memory that was reserved for it.
    pub(crate) fn finish_value(&mut self, value: Option<&impl MemorySize>) -> Result<(), FunctionError> {
        self.pending = value.map_or(0, MemorySize::bytes);
        self.grow()?;
        self.used += self.pending;
        self.pending = 0;
        Ok(())
    }

    fn grow(&self) -> Result<(), FunctionError> {
        let total = self.used.saturating_add(self.pending);
        if total > self.max_bytes || self.limits.as_ref().is_some_and(|limits| limits.has_large_constants()) {
            return Err(FunctionError::resources_exceeded());
        }
        let Some(reservation) = self.reservation.as_ref().filter(|reservation| reservation.size() < total) else { return Ok(()) };
        let missing = (total - reservation.size()).max(RESERVATION_STEP_BYTES);
        reservation.try_grow(missing).map_err(|_| FunctionError::resources_exceeded())
    }

    /// Ends the call. The memory of a large result stays reserved while the result exists.
    pub(crate) fn finish_call(self, result: ColumnarValue) -> Result<ColumnarValue, DataFusionError> {
        let (Some(limits), Some(reservation)) = (self.limits, self.reservation) else { return Ok(result) };
        match &result {
            ColumnarValue::Array(array) => limits.keep_until_dropped(array, reservation),
            ColumnarValue::Scalar(value) => limits.reserve_constant(value.size())?,
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_fails_when_its_budget_is_exceeded() {
        let budget = |max_bytes| MemoryBudget { max_bytes, ..MemoryBudget::for_call(&ConfigOptions::default()) };
        let mut small = budget(200);
        // 24 bytes for the Vec and 24 bytes for its elements.
        let three = vec![1_i64, 2, 3];
        let results: Vec<bool> = (0..5).map(|_| small.finish_value(Some(&three)).is_ok()).collect();
        assert_eq!(results, [true, true, true, true, false]);
        assert_eq!(budget(40).finish_value(Some(&vec!["a text".to_owned()])), Err(FunctionError::resources_exceeded()));
        assert_eq!(budget(40).reserve_bytes(41), Err(FunctionError::resources_exceeded()));
        assert_eq!(budget(0).finish_value(None::<&String>), Ok(()));
    }
}
