//! A limit on the memory that one function call can allocate.
//!
//! `REPEAT` or `GENERATE_ARRAY` can return a megabyte for each of a batch's thousands of rows. The
//! engine counts the memory of finished batches only. The budget counts each value as it is created.

use datafusion::arrow::datatypes::{IntervalMonthDayNano, i256};

use super::function_error::FunctionError;

/// Maximum bytes that one call returns for one batch. (Arrow's text columns cannot exceed 2 GiB.)
const MAX_BATCH_BYTES: usize = 512 * 1024 * 1024;

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

/// The remaining bytes for the results of one call.
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
    fn reserve_fails_when_the_budget_is_exceeded() {
        let mut budget = MemoryBudget(200);
        // 24 bytes for the Vec and 24 bytes for its elements.
        let three = vec![1_i64, 2, 3];
        let results: Vec<bool> = (0..5).map(|_| budget.reserve(Some(&three)).is_ok()).collect();
        assert_eq!(results, [true, true, true, true, false]);
        assert_eq!(MemoryBudget(40).reserve(Some(&vec!["a text".to_owned()])), Err(FunctionError::resources_exceeded()));
        assert_eq!(MemoryBudget(0).reserve(None::<&String>), Ok(()));
    }
}
