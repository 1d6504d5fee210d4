//! What values take in memory, so that a function cannot fill it.
//!
//! A batch has thousands of rows, and `REPEAT` or `GENERATE_ARRAY` a megabyte for each; the engine
//! counts a batch only when it is there. So the results of a call are weighed as they are made.

use datafusion::arrow::datatypes::{IntervalMonthDayNano, i256};

use super::function_error::FunctionError;

/// Bytes that one call may make for one batch. (Text columns end at 2 GiB in any case.)
const MAX_BATCH_BYTES: usize = 512 * 1024 * 1024;

pub(crate) trait MemorySize {
    /// Bytes of each value, if all have the same.
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

/// What is left for the results of one call.
pub(crate) struct MemoryBudget(usize);

impl MemoryBudget {
    pub(crate) fn for_batch() -> MemoryBudget {
        MemoryBudget(MAX_BATCH_BYTES)
    }

    pub(crate) fn reserve(&mut self, value: Option<&impl MemorySize>) -> Result<(), FunctionError> {
        self.0 = self.0.checked_sub(value.map_or(0, MemorySize::bytes)).ok_or_else(FunctionError::resources_exceeded)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_when_its_results_no_longer_fit() {
        let mut budget = MemoryBudget(200);
        // 24 bytes of the Vec and as many of its elements.
        let three = vec![1_i64, 2, 3];
        let results: Vec<bool> = (0..5).map(|_| budget.reserve(Some(&three)).is_ok()).collect();
        assert_eq!(results, [true, true, true, true, false]);
        assert_eq!(MemoryBudget(40).reserve(Some(&vec!["a text".to_owned()])), Err(FunctionError::resources_exceeded()));
        assert_eq!(MemoryBudget(0).reserve(None::<&String>), Ok(()));
    }
}
