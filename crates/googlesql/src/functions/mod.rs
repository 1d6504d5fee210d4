//! BigQuery's functions by GoogleSQL name, grouped as in BigQuery's reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all>.
//!
//! Each function follows the reference in its types, NULL handling and errors. DataFusion's
//! implementation is used only where it does the same.

mod adapter;
mod aggregate;
mod arithmetic;
mod array;
mod array_column;
mod calendar;
mod cast;
mod coerce;
mod column;
mod error;
mod format;
mod function_error;
mod gaps;
mod generate;
mod generic;
mod hash;
mod json;
mod mathematics;
mod memory_budget;
mod named_arguments;
mod net;
mod number;
mod operator_chain;
mod overload;
mod regexp;
mod safe;
mod sql_type;
#[cfg(test)]
mod test_eval;
#[cfg(test)]
mod tests;
mod text;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

pub(crate) use aggregate::limited_window;
pub(crate) use gaps::is_gap;
pub(crate) use named_arguments::named_arguments;
pub(crate) use operator_chain::operator_chain;
pub(crate) use safe::safe;
pub(crate) use window::limited_function;

/// A function for the planner.
#[derive(Clone, Debug)]
pub(crate) enum Function {
    /// Returns one value per row. `date_part` is the index of the date part argument (`DAY`,
    /// `WEEK(MONDAY)`). The function receives the date part as an upper-case string literal.
    Scalar { udf: Arc<ScalarUDF>, date_part: Option<usize> },
    /// Returns one value per group or window frame.
    Aggregate(Arc<AggregateUDF>),
    /// Returns one value per row of a window.
    Window(Arc<WindowUDF>),
}

/// The functions by lower-case name (`net.host`, `date_trunc`). Names that begin with `$` implement
/// syntax: `$cast_int64`, `$divide`.
pub(crate) static FUNCTIONS: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| all().into_iter().collect());

fn all() -> Vec<(&'static str, Function)> {
    [
        aggregate::functions(),
        arithmetic::functions(),
        array::functions(),
        calendar::functions(),
        cast::functions(),
        error::functions(),
        format::functions(),
        generate::functions(),
        hash::functions(),
        json::functions(),
        mathematics::functions(),
        net::functions(),
        regexp::functions(),
        text::functions(),
        window::functions(),
    ]
    .concat()
}
