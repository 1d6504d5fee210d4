//! Window functions: numbering, navigation and percentiles. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls>.

mod datafusion_window;
mod limited_function;
mod percentile;

use std::sync::Arc;

use datafusion::functions_window::{cume_dist, lead_lag, nth_value, ntile, rank, row_number};
use datafusion::logical_expr::WindowUDF;

use super::Function;
pub(crate) use limited_function::limited_function;

use datafusion_window::{ConstantArgument, DataFusionWindowFunction, ResultConversion};

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let adapted = [
        DataFusionWindowFunction::new("row_number", row_number::row_number_udwf(), ResultConversion::ToInt64, ConstantArgument::None),
        DataFusionWindowFunction::new("rank", rank::rank_udwf(), ResultConversion::ToInt64, ConstantArgument::None),
        DataFusionWindowFunction::new("dense_rank", rank::dense_rank_udwf(), ResultConversion::ToInt64, ConstantArgument::None),
        DataFusionWindowFunction::new("percent_rank", rank::percent_rank_udwf(), ResultConversion::Unchanged, ConstantArgument::None),
        DataFusionWindowFunction::new("cume_dist", cume_dist::cume_dist_udwf(), ResultConversion::Unchanged, ConstantArgument::None),
        DataFusionWindowFunction::new("ntile", ntile::ntile_udwf(), ResultConversion::ToInt64, ConstantArgument::Positive(0)),
        DataFusionWindowFunction::new("lag", lead_lag::lag_udwf(), ResultConversion::Unchanged, ConstantArgument::NotNegative(1)),
        DataFusionWindowFunction::new("lead", lead_lag::lead_udwf(), ResultConversion::Unchanged, ConstantArgument::NotNegative(1)),
        DataFusionWindowFunction::new("first_value", nth_value::first_value_udwf(), ResultConversion::Unchanged, ConstantArgument::None),
        DataFusionWindowFunction::new("last_value", nth_value::last_value_udwf(), ResultConversion::Unchanged, ConstantArgument::None),
        DataFusionWindowFunction::new("nth_value", nth_value::nth_value_udwf(), ResultConversion::Unchanged, ConstantArgument::Positive(1)),
    ];
    let adapted = adapted.into_iter().map(|function| (function.name, WindowUDF::new_from_impl(function)));
    let percentiles = percentile::functions().into_iter().map(|function| (function.name, WindowUDF::new_from_impl(function)));
    adapted.chain(percentiles).map(|(name, udwf)| (name, Function::Window(Arc::new(udwf)))).collect()
}

#[cfg(test)]
mod tests;
