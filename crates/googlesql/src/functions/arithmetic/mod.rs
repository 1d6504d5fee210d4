//! The operators `+ - * /`, their `SAFE_` functions, `DIV` and `MOD`. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#arithmetic_operators>.
//!
//! The resolver calls the operators as `$add`, `$subtract`, `$multiply`, `$divide` and `$negate`.

mod date_time;
mod decimal;
mod floating;
mod integer;
#[cfg(test)]
mod tests;

use super::Function;
use super::adapter::{operator, scalar};
use super::function_error::FunctionError;
use super::overload::StrictAndSafe;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let add = || [integer::add(), decimal::add(), floating::add()].concat();
    let subtract = || [integer::subtract(), decimal::subtract(), floating::subtract()].concat();
    let multiply = || [integer::multiply(), decimal::multiply(), floating::multiply()].concat();
    let divide = || [floating::divide(), decimal::divide()].concat();
    let negate = || [integer::negate(), decimal::negate(), floating::negate()].concat();
    vec![
        operator("$add", [strict(add()), date_time::add()].concat()),
        operator("$subtract", [strict(subtract()), date_time::subtract()].concat()),
        operator("$multiply", [strict(multiply()), date_time::multiply()].concat()),
        operator("$divide", [strict(divide()), date_time::divide()].concat()),
        operator("$negate", [strict(negate()), date_time::negate()].concat()),
        scalar("safe_add", safe(add())),
        scalar("safe_subtract", safe(subtract())),
        scalar("safe_multiply", safe(multiply())),
        scalar("safe_divide", safe(divide())),
        scalar("safe_negate", safe(negate())),
        scalar("div", strict([integer::div(), decimal::div()].concat())),
        scalar("mod", strict([integer::modulo(), decimal::modulo()].concat())),
    ]
}

fn strict(overloads: Vec<StrictAndSafe>) -> Vec<super::overload::Overload> {
    overloads.into_iter().map(|both| both.strict).collect()
}

fn safe(overloads: Vec<StrictAndSafe>) -> Vec<super::overload::Overload> {
    overloads.into_iter().map(|both| both.safe).collect()
}

/// Returns an error like "int64 overflow: 9223372036854775807 + 1".
fn overflow(kind: &str, expression: String) -> FunctionError {
    FunctionError::new(format!("{kind} overflow: {expression}"))
}

fn division_by_zero(expression: String) -> FunctionError {
    FunctionError::new(format!("division by zero: {expression}"))
}
