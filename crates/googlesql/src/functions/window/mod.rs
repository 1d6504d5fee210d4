//! Functions of a window: numbering, neighbours, percentiles.

mod datafusion_window;
mod percentile;

use std::sync::Arc;

use datafusion::functions_window::{cume_dist, lead_lag, nth_value, ntile, rank, row_number};
use datafusion::logical_expr::WindowUDF;

use super::Function;
use datafusion_window::{Borrowed, Constant, Result};

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let borrowed = [
        Borrowed::new("row_number", row_number::row_number_udwf(), Result::Count, Constant::None),
        Borrowed::new("rank", rank::rank_udwf(), Result::Count, Constant::None),
        Borrowed::new("dense_rank", rank::dense_rank_udwf(), Result::Count, Constant::None),
        Borrowed::new("percent_rank", rank::percent_rank_udwf(), Result::AsIs, Constant::None),
        Borrowed::new("cume_dist", cume_dist::cume_dist_udwf(), Result::AsIs, Constant::None),
        Borrowed::new("ntile", ntile::ntile_udwf(), Result::Count, Constant::Positive(0)),
        Borrowed::new("lag", lead_lag::lag_udwf(), Result::AsIs, Constant::NotNegative(1)),
        Borrowed::new("lead", lead_lag::lead_udwf(), Result::AsIs, Constant::NotNegative(1)),
        Borrowed::new("first_value", nth_value::first_value_udwf(), Result::AsIs, Constant::None),
        Borrowed::new("last_value", nth_value::last_value_udwf(), Result::AsIs, Constant::None),
        Borrowed::new("nth_value", nth_value::nth_value_udwf(), Result::AsIs, Constant::Positive(1)),
    ];
    let borrowed = borrowed.into_iter().map(|function| (function.name, WindowUDF::new_from_impl(function)));
    let percentiles = percentile::functions().into_iter().map(|function| (function.name, WindowUDF::new_from_impl(function)));
    borrowed.chain(percentiles).map(|(name, udwf)| (name, Function::Window(Arc::new(udwf)))).collect()
}

#[cfg(test)]
mod tests;
