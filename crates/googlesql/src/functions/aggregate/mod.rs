//! Functions of a group: SUM, STRING_AGG, APPROX_QUANTILES…
//!
//! Whatever DataFusion does as documented is DataFusion's; all can be used with OVER.

mod by;
mod countif;
mod definition;
mod extreme;
mod fold;
mod joined;
mod pairs;
mod quantiles;
mod recompute;
mod rows;
mod top;
mod total;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Int64Type};
use datafusion::functions_aggregate as datafusion_aggregate;
use datafusion::logical_expr::AggregateUDF;

use super::Function;
use definition::{Aggregate, Call, Means};
use fold::{Folding, Of};

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let mut functions: Vec<(&'static str, Function)> =
        own().into_iter().chain(joined::aggregates()).map(|udaf| (udaf.0, Function::Aggregate(Arc::new(udaf.1)))).collect();
    // NULLs, DISTINCT and the empty group as documented. GROUPING must be DataFusion's own object:
    // its analyzer looks for it. ARRAY_AGG keeps NULLs, which only a query's result may not have.
    functions.extend([
        ("count", Function::Aggregate(datafusion_aggregate::count::count_udaf())),
        ("grouping", Function::Aggregate(datafusion_aggregate::grouping::grouping_udaf())),
        ("array_agg", Function::Aggregate(datafusion_aggregate::array_agg::array_agg_udaf())),
    ]);
    functions
}

fn own() -> Vec<(&'static str, AggregateUDF)> {
    [
        Aggregate::new("sum", sum),
        Aggregate::new("avg", avg),
        Aggregate::new("min", |types| extreme(types, Of::<extreme::Extreme<false>>::FOLD, datafusion_aggregate::min_max::min_udaf())),
        Aggregate::new("max", |types| extreme(types, Of::<extreme::Extreme<true>>::FOLD, datafusion_aggregate::min_max::max_udaf())),
        Aggregate::counting("countif", |types| only(types, DataType::Boolean, DataType::Int64, Means::Fold(Of::<countif::CountIf>::FOLD))),
        Aggregate::new("logical_and", |types| same(types, DataType::Boolean, datafusion_aggregate::bool_and_or::bool_and_udaf())),
        Aggregate::new("logical_or", |types| same(types, DataType::Boolean, datafusion_aggregate::bool_and_or::bool_or_udaf())),
        Aggregate::new("bit_and", |types| same(types, DataType::Int64, datafusion_aggregate::bit_and_or_xor::bit_and_udaf())),
        Aggregate::new("bit_or", |types| same(types, DataType::Int64, datafusion_aggregate::bit_and_or_xor::bit_or_udaf())),
        Aggregate::new("bit_xor", |types| same(types, DataType::Int64, datafusion_aggregate::bit_and_or_xor::bit_xor_udaf())),
        Aggregate::new("any_value", any_value),
        Aggregate::counting("approx_count_distinct", approx_count_distinct),
        Aggregate::new("stddev", |types| float(types, datafusion_aggregate::stddev::stddev_udaf())),
        Aggregate::new("stddev_samp", |types| float(types, datafusion_aggregate::stddev::stddev_udaf())),
        Aggregate::new("stddev_pop", |types| float(types, datafusion_aggregate::stddev::stddev_pop_udaf())),
        Aggregate::new("variance", |types| float(types, datafusion_aggregate::variance::var_samp_udaf())),
        Aggregate::new("var_samp", |types| float(types, datafusion_aggregate::variance::var_samp_udaf())),
        Aggregate::new("var_pop", |types| float(types, datafusion_aggregate::variance::var_pop_udaf())),
        Aggregate::new("corr", |types| pairs::call(types, pairs::corr)),
        Aggregate::new("covar_pop", |types| pairs::call(types, pairs::covar_pop)),
        Aggregate::new("covar_samp", |types| pairs::call(types, pairs::covar_samp)),
        Aggregate::new("max_by", |types| by::call(types, by::max)),
        Aggregate::new("min_by", |types| by::call(types, by::min)),
        Aggregate::new("approx_quantiles", quantiles::call),
        Aggregate::new("approx_top_count", top::count),
        Aggregate::new("approx_top_sum", top::sum),
    ]
    .into_iter()
    .map(|aggregate| (aggregate.name, AggregateUDF::new_from_impl(aggregate)))
    .collect()
}

/// An untyped NULL is an INT64.
fn typed(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Null => DataType::Int64,
        other => other.clone(),
    }
}

fn sum(types: &[DataType]) -> Option<Call> {
    let [data_type] = types else { return None };
    let data_type = typed(data_type);
    let fold: &'static dyn Folding = match data_type {
        DataType::Int64 => Of::<total::Total<Int64Type, false>>::FOLD,
        DataType::Decimal128(38, 9) => Of::<total::Total<Decimal128Type, false>>::FOLD,
        DataType::Decimal256(76, 38) => Of::<total::Total<Decimal256Type, false>>::FOLD,
        DataType::Float64 => return same(types, data_type, datafusion_aggregate::sum::sum_udaf()),
        _ => return None,
    };
    Some(Call { arguments: vec![data_type.clone()], returns: data_type, means: Means::Fold(fold) })
}

fn avg(types: &[DataType]) -> Option<Call> {
    let [data_type] = types else { return None };
    let fold: &'static dyn Folding = match data_type {
        DataType::Decimal128(38, 9) => Of::<total::Total<Decimal128Type, true>>::FOLD,
        DataType::Decimal256(76, 38) => Of::<total::Total<Decimal256Type, true>>::FOLD,
        _ => return float(types, datafusion_aggregate::average::avg_udaf()),
    };
    Some(Call { arguments: types.to_vec(), returns: data_type.clone(), means: Means::Fold(fold) })
}

fn extreme(types: &[DataType], floats: &'static dyn Folding, others: Arc<AggregateUDF>) -> Option<Call> {
    let [data_type] = types else { return None };
    let means = match data_type {
        DataType::Float64 => Means::Fold(floats),
        other if !is_comparable(other) => return None,
        _ => Means::DataFusion(others),
    };
    Some(Call { arguments: vec![typed(data_type)], returns: typed(data_type), means })
}

fn any_value(types: &[DataType]) -> Option<Call> {
    let [data_type] = types else { return None };
    let means = Means::DataFusion(datafusion_aggregate::any_value::any_value_udaf());
    Some(Call { arguments: vec![typed(data_type)], returns: typed(data_type), means })
}

/// Exact, which an approximation may be.
fn approx_count_distinct(types: &[DataType]) -> Option<Call> {
    let [data_type] = types else { return None };
    is_comparable(data_type).then(|| Call {
        arguments: vec![typed(data_type)],
        returns: DataType::Int64,
        means: Means::Different(datafusion_aggregate::count::count_udaf()),
    })
}

fn only(types: &[DataType], wanted: DataType, returns: DataType, means: Means) -> Option<Call> {
    let [data_type] = types else { return None };
    (*data_type == wanted || data_type.is_null()).then(|| Call { arguments: vec![wanted], returns, means })
}

fn same(types: &[DataType], wanted: DataType, function: Arc<AggregateUDF>) -> Option<Call> {
    only(types, wanted.clone(), wanted, Means::DataFusion(function))
}

/// Of any number, as FLOAT64.
fn float(types: &[DataType], function: Arc<AggregateUDF>) -> Option<Call> {
    let [data_type] = types else { return None };
    is_number(data_type).then(|| Call {
        arguments: vec![DataType::Float64],
        returns: DataType::Float64,
        means: Means::DataFusion(function),
    })
}

fn is_number(data_type: &DataType) -> bool {
    use DataType::{Decimal128, Decimal256, Float64, Int64, Null};
    matches!(data_type, Int64 | Float64 | Decimal128(38, 9) | Decimal256(76, 38) | Null)
}

/// Whether values of the type can be grouped and put in order.
fn is_comparable(data_type: &DataType) -> bool {
    !matches!(data_type, DataType::List(_) | DataType::Struct(_))
}

#[cfg(test)]
mod tests;
