//! What values take in memory, so that a function cannot fill it.
//!
//! A batch has thousands of rows, and `REPEAT` or `GENERATE_ARRAY` a megabyte for each; the engine
//! counts a batch only when it is there. So the results of a call are weighed as they are made.

use datafusion::arrow::datatypes::{IntervalMonthDayNano, i256};

use super::failure::Failure;

/// Bytes that one call may make for one batch. (Text columns end at 2 GiB in any case.)
const MOST: usize = 512 * 1024 * 1024;

pub(crate) trait Weight {
    /// Bytes of each value, if all have the same.
    const FIXED: Option<usize>;

    fn bytes(&self) -> usize;
}

macro_rules! fixed {
    ($($number:ty)*) => {$(
        impl Weight for $number {
            const FIXED: Option<usize> = Some(size_of::<$number>());

            fn bytes(&self) -> usize {
                size_of::<$number>()
            }
        }
    )*};
}

fixed! { bool u8 i32 i64 i128 i256 f64 IntervalMonthDayNano }

impl Weight for String {
    const FIXED: Option<usize> = None;

    fn bytes(&self) -> usize {
        size_of::<String>() + self.len()
    }
}

impl<T: Weight> Weight for Vec<T> {
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
pub(crate) struct Room(usize);

impl Room {
    pub(crate) fn for_a_batch() -> Room {
        Room(MOST)
    }

    pub(crate) fn take(&mut self, value: Option<&impl Weight>) -> Result<(), Failure> {
        self.0 = self.0.checked_sub(value.map_or(0, Weight::bytes)).ok_or_else(Failure::resources_exceeded)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_ends_when_its_results_no_longer_fit() {
        let mut room = Room(200);
        // 24 bytes of the Vec and as many of its elements.
        let three = vec![1_i64, 2, 3];
        let results: Vec<bool> = (0..5).map(|_| room.take(Some(&three)).is_ok()).collect();
        assert_eq!(results, [true, true, true, true, false]);
        assert_eq!(Room(40).take(Some(&vec!["a text".to_owned()])), Err(Failure::resources_exceeded()));
        assert_eq!(Room(0).take(None::<&String>), Ok(()));
    }
}
