//! INT64 arithmetic with overflow errors.

use super::super::column::Int64;
use super::super::overload::StrictAndSafe;
use super::{division_by_zero, overflow};

pub(crate) fn add() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Int64, Int64, Int64>(|a, b| a.checked_add(b).ok_or_else(|| overflow("int64", format!("{a} + {b}"))))]
}

pub(crate) fn subtract() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Int64, Int64, Int64>(|a, b| a.checked_sub(b).ok_or_else(|| overflow("int64", format!("{a} - {b}"))))]
}

pub(crate) fn multiply() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Int64, Int64, Int64>(|a, b| a.checked_mul(b).ok_or_else(|| overflow("int64", format!("{a} * {b}"))))]
}

pub(crate) fn negate() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::unary::<Int64, Int64>(|a| a.checked_neg().ok_or_else(|| overflow("int64", format!("-({a})"))))]
}

pub(crate) fn div() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Int64, Int64, Int64>(|a, b| match b {
        0 => Err(division_by_zero(format!("{a} / {b}"))),
        _ => a.checked_div(b).ok_or_else(|| overflow("int64", format!("{a} / {b}"))),
    })]
}

pub(crate) fn modulo() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Int64, Int64, Int64>(|a, b| match b {
        0 => Err(division_by_zero(format!("MOD({a}, {b})"))),
        // The only overflow is MIN % -1, which is 0.
        _ => Ok(a.checked_rem(b).unwrap_or(0)),
    })]
}
