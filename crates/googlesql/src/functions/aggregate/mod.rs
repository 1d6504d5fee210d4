//! Aggregate functions, including the approximate and statistical ones. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions>.
//!
//! DataFusion's implementation is used where it follows the reference. All functions support OVER.

mod aggregate_function;
mod approx_quantiles;
mod approx_top;
mod countif;
mod covariance;
mod group_rows;
mod group_state;
mod limited_window;
mod max_by;
mod measured;
mod min_max;
mod recomputing_accumulator;
mod string_agg;
mod sum;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Int64Type};
use datafusion::functions_aggregate as datafusion_aggregate;
use datafusion::logical_expr::AggregateUDF;

use super::Function;
pub(crate) use limited_window::limited_window;

use aggregate_function::{AggregateCall, AggregateFunction, Implementation};
use group_state::{AccumulatorFactory, StateFactory};

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let mut functions: Vec<(&'static str, Function)> =
        aggregates().into_iter().chain(string_agg::aggregates()).map(|udaf| (udaf.0, Function::Aggregate(Arc::new(udaf.1)))).collect();
    // DataFusion's implementations. Its analyzer requires its own GROUPING object. ARRAY_AGG keeps
    // NULLs: only a query result cannot contain arrays with NULLs.
    functions.extend([
        ("count", Function::Aggregate(datafusion_aggregate::count::count_udaf())),
        ("grouping", Function::Aggregate(datafusion_aggregate::grouping::grouping_udaf())),
        ("array_agg", Function::Aggregate(measured::measured(datafusion_aggregate::array_agg::array_agg_udaf()))),
    ]);
    functions
}

fn aggregates() -> Vec<(&'static str, AggregateUDF)> {
    [
        AggregateFunction::new("sum", sum),
        AggregateFunction::new("avg", avg),
        AggregateFunction::new("min", |types| {
            extreme(types, StateFactory::<min_max::Extremum<false>>::FACTORY, datafusion_aggregate::min_max::min_udaf())
        }),
        AggregateFunction::new("max", |types| {
            extreme(types, StateFactory::<min_max::Extremum<true>>::FACTORY, datafusion_aggregate::min_max::max_udaf())
        }),
        AggregateFunction::counting("countif", |types| {
            unary(types, DataType::Boolean, DataType::Int64, Implementation::Incremental(StateFactory::<countif::CountIfState>::FACTORY))
        }),
        AggregateFunction::new("logical_and", |types| {
            same_type(types, DataType::Boolean, datafusion_aggregate::bool_and_or::bool_and_udaf())
        }),
        AggregateFunction::new("logical_or", |types| {
            same_type(types, DataType::Boolean, datafusion_aggregate::bool_and_or::bool_or_udaf())
        }),
        AggregateFunction::new("bit_and", |types| same_type(types, DataType::Int64, datafusion_aggregate::bit_and_or_xor::bit_and_udaf())),
        AggregateFunction::new("bit_or", |types| same_type(types, DataType::Int64, datafusion_aggregate::bit_and_or_xor::bit_or_udaf())),
        AggregateFunction::new("bit_xor", |types| same_type(types, DataType::Int64, datafusion_aggregate::bit_and_or_xor::bit_xor_udaf())),
        AggregateFunction::new("any_value", any_value),
        AggregateFunction::counting("approx_count_distinct", approx_count_distinct),
        AggregateFunction::new("stddev", |types| float_aggregate(types, datafusion_aggregate::stddev::stddev_udaf())),
        AggregateFunction::new("stddev_samp", |types| float_aggregate(types, datafusion_aggregate::stddev::stddev_udaf())),
        AggregateFunction::new("stddev_pop", |types| float_aggregate(types, datafusion_aggregate::stddev::stddev_pop_udaf())),
        AggregateFunction::new("variance", |types| float_aggregate(types, datafusion_aggregate::variance::var_samp_udaf())),
        AggregateFunction::new("var_samp", |types| float_aggregate(types, datafusion_aggregate::variance::var_samp_udaf())),
        AggregateFunction::new("var_pop", |types| float_aggregate(types, datafusion_aggregate::variance::var_pop_udaf())),
        AggregateFunction::new("corr", |types| covariance::call(types, covariance::corr)),
        AggregateFunction::new("covar_pop", |types| covariance::call(types, covariance::covar_pop)),
        AggregateFunction::new("covar_samp", |types| covariance::call(types, covariance::covar_samp)),
        AggregateFunction::new("max_by", |types| max_by::call(types, max_by::max)),
        AggregateFunction::new("min_by", |types| max_by::call(types, max_by::min)),
        AggregateFunction::new("approx_quantiles", approx_quantiles::call),
        AggregateFunction::new("approx_top_count", approx_top::count),
        AggregateFunction::new("approx_top_sum", approx_top::sum),
    ]
    .into_iter()
    .map(|aggregate| (aggregate.name, AggregateUDF::new_from_impl(aggregate)))
    .collect()
}

/// Maps the type of an untyped NULL to INT64.
fn default_to_int64(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Null => DataType::Int64,
        other => other.clone(),
    }
}

fn sum(types: &[DataType]) -> Option<AggregateCall> {
    let [data_type] = types else { return None };
    let data_type = default_to_int64(data_type);
    let factory: &'static dyn AccumulatorFactory = match data_type {
        DataType::Int64 => StateFactory::<sum::SumState<Int64Type, false>>::FACTORY,
        DataType::Decimal128(38, 9) => StateFactory::<sum::SumState<Decimal128Type, false>>::FACTORY,
        DataType::Decimal256(76, 38) => StateFactory::<sum::SumState<Decimal256Type, false>>::FACTORY,
        DataType::Float64 => return same_type(types, data_type, datafusion_aggregate::sum::sum_udaf()),
        _ => return None,
    };
    Some(AggregateCall { arguments: vec![data_type.clone()], returns: data_type, implementation: Implementation::Incremental(factory) })
}

fn avg(types: &[DataType]) -> Option<AggregateCall> {
    let [data_type] = types else { return None };
    let factory: &'static dyn AccumulatorFactory = match data_type {
        DataType::Decimal128(38, 9) => StateFactory::<sum::SumState<Decimal128Type, true>>::FACTORY,
        DataType::Decimal256(76, 38) => StateFactory::<sum::SumState<Decimal256Type, true>>::FACTORY,
        _ => return float_aggregate(types, datafusion_aggregate::average::avg_udaf()),
    };
    Some(AggregateCall { arguments: types.to_vec(), returns: data_type.clone(), implementation: Implementation::Incremental(factory) })
}

fn extreme(types: &[DataType], floats: &'static dyn AccumulatorFactory, others: Arc<AggregateUDF>) -> Option<AggregateCall> {
    let [data_type] = types else { return None };
    let implementation = match data_type {
        DataType::Float64 => Implementation::Incremental(floats),
        other if !is_comparable(other) => return None,
        _ => Implementation::DataFusion(others),
    };
    Some(AggregateCall { arguments: vec![default_to_int64(data_type)], returns: default_to_int64(data_type), implementation })
}

fn any_value(types: &[DataType]) -> Option<AggregateCall> {
    let [data_type] = types else { return None };
    let implementation = Implementation::DataFusion(datafusion_aggregate::any_value::any_value_udaf());
    Some(AggregateCall { arguments: vec![default_to_int64(data_type)], returns: default_to_int64(data_type), implementation })
}

/// Counts exactly. The reference allows an approximation.
fn approx_count_distinct(types: &[DataType]) -> Option<AggregateCall> {
    let [data_type] = types else { return None };
    is_comparable(data_type).then(|| AggregateCall {
        arguments: vec![default_to_int64(data_type)],
        returns: DataType::Int64,
        implementation: Implementation::DataFusionDistinct(datafusion_aggregate::count::count_udaf()),
    })
}

fn unary(types: &[DataType], wanted: DataType, returns: DataType, implementation: Implementation) -> Option<AggregateCall> {
    let [data_type] = types else { return None };
    (*data_type == wanted || data_type.is_null()).then(|| AggregateCall { arguments: vec![wanted], returns, implementation })
}

fn same_type(types: &[DataType], wanted: DataType, function: Arc<AggregateUDF>) -> Option<AggregateCall> {
    unary(types, wanted.clone(), wanted, Implementation::DataFusion(function))
}

/// Converts any number to FLOAT64.
fn float_aggregate(types: &[DataType], function: Arc<AggregateUDF>) -> Option<AggregateCall> {
    let [data_type] = types else { return None };
    is_number(data_type).then(|| AggregateCall {
        arguments: vec![DataType::Float64],
        returns: DataType::Float64,
        implementation: Implementation::DataFusion(function),
    })
}

fn is_number(data_type: &DataType) -> bool {
    use DataType::{Decimal128, Decimal256, Float64, Int64, Null};
    matches!(data_type, Int64 | Float64 | Decimal128(38, 9) | Decimal256(76, 38) | Null)
}

/// Whether values of the type can be grouped and ordered.
fn is_comparable(data_type: &DataType) -> bool {
    !matches!(data_type, DataType::List(_) | DataType::Struct(_))
}

#[cfg(test)]
mod tests;
