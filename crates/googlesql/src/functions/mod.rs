//! Every function that a query may call, by its GoogleSQL name.
//!
//! A function is here when it does what BigQuery's reference says of it, NULLs, errors and types
//! included; a DataFusion function of the same name is let in only where it does just that.

mod adapter;
mod aggregate;
mod arithmetic;
mod array;
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
mod kind;
mod list;
mod mathematics;
mod memory_budget;
mod named;
mod net;
mod number;
mod overload;
mod regexp;
mod safe;
#[cfg(test)]
mod test_eval;
#[cfg(test)]
mod tests;
mod text;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

pub(crate) use gaps::is_gap;
pub(crate) use named::named_arguments;
pub(crate) use safe::safe;

/// A function as the planner needs to know it.
#[derive(Clone, Debug)]
pub(crate) enum Function {
    /// One value out of one row. `part` is the index of the argument that is a date part
    /// (`DAY`, `WEEK(MONDAY)`) rather than an expression; the function gets it as a string
    /// literal in capitals.
    Scalar { udf: Arc<ScalarUDF>, part: Option<usize> },
    /// One value out of a group, or of a window.
    Aggregate(Arc<AggregateUDF>),
    /// One value out of a window.
    Window(Arc<WindowUDF>),
}

/// The functions by their names in lower case (`net.host`, `date_trunc`). Those that begin with
/// `$` are what the rewriting makes of syntax: `$cast_int64`, `$divide`.
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
