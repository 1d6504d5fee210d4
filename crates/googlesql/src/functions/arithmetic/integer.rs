//! INT64: 64 bits, never wrapping.

use super::super::column::Int64;
use super::super::overload::Both;
use super::{division_by_zero, overflow};

pub(crate) fn add() -> Vec<Both> {
    vec![Both::binary::<Int64, Int64, Int64>(|a, b| a.checked_add(b).ok_or_else(|| overflow("int64", format!("{a} + {b}"))))]
}

pub(crate) fn subtract() -> Vec<Both> {
    vec![Both::binary::<Int64, Int64, Int64>(|a, b| a.checked_sub(b).ok_or_else(|| overflow("int64", format!("{a} - {b}"))))]
}

pub(crate) fn multiply() -> Vec<Both> {
    vec![Both::binary::<Int64, Int64, Int64>(|a, b| a.checked_mul(b).ok_or_else(|| overflow("int64", format!("{a} * {b}"))))]
}

pub(crate) fn negate() -> Vec<Both> {
    vec![Both::unary::<Int64, Int64>(|a| a.checked_neg().ok_or_else(|| overflow("int64", format!("-({a})"))))]
}

pub(crate) fn div() -> Vec<Both> {
    vec![Both::binary::<Int64, Int64, Int64>(|a, b| match b {
        0 => Err(division_by_zero(format!("{a} / {b}"))),
        _ => a.checked_div(b).ok_or_else(|| overflow("int64", format!("{a} / {b}"))),
    })]
}

pub(crate) fn modulo() -> Vec<Both> {
    vec![Both::binary::<Int64, Int64, Int64>(|a, b| match b {
        0 => Err(division_by_zero(format!("MOD({a}, {b})"))),
        // The least integer modulo -1 is 0, though its quotient overflows.
        _ => Ok(a.checked_rem(b).unwrap_or(0)),
    })]
}
