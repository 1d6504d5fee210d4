//! BIT_COUNT and the operators `& | ^ ~ << >>`, called as `$bit_and`, `$shift_left`….

use super::super::Function;
use super::super::adapter::{operator, scalar};
use super::super::column::{Bytes, Int64};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "bit_count",
            vec![
                Overload::unary::<Int64, Int64, _>(|value| i64::from(value.count_ones())),
                Overload::unary::<Bytes, Int64, _>(|bytes| bytes.iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>()),
            ],
        ),
        operator("$bit_and", vec![Overload::binary::<Int64, Int64, Int64, _>(|a, b| a & b)]),
        operator("$bit_or", vec![Overload::binary::<Int64, Int64, Int64, _>(|a, b| a | b)]),
        operator("$bit_xor", vec![Overload::binary::<Int64, Int64, Int64, _>(|a, b| a ^ b)]),
        operator("$bit_not", vec![Overload::unary::<Int64, Int64, _>(|value: i64| !value)]),
        operator("$shift_left", vec![Overload::binary::<Int64, Int64, Int64, _>(|value, count| shift(value, count, u64::checked_shl))]),
        operator("$shift_right", vec![Overload::binary::<Int64, Int64, Int64, _>(|value, count| shift(value, count, u64::checked_shr))]),
    ]
}

/// Logical shift. A shift by 64 bits or more results in 0.
fn shift(value: i64, count: i64, shift: fn(u64, u32) -> Option<u64>) -> Result<i64, FunctionError> {
    let count = u64::try_from(count).map_err(|_| FunctionError::new("Bitwise shift by a negative amount is not allowed"))?;
    Ok(u32::try_from(count).ok().and_then(|count| shift(value as u64, count)).unwrap_or(0) as i64)
}
