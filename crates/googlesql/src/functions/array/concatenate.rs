//! ARRAY_CONCAT, `||`, and `$array_flatten` (`ARRAY_CONCAT_AGG(… LIMIT n)`).

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use std::sync::Arc;

use super::super::Function;
use super::super::generic::{Call, Given, generic, plain, supertype};
use super::super::kind::Kind;
use super::super::text::{concatenated_bytes, concatenated_texts};
use super::rows::{elements, rebuilt};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![generic("array_concat", arrays), generic("$concat", operator), generic("$array_flatten", nested)]
}

fn arrays(given: &[Given]) -> Option<Call> {
    let array = supertype(given).filter(|array| matches!(array.data_type(), DataType::List(_)))?;
    Some(Call { parameters: vec![Arc::clone(&array); given.len()], returns: array, body: joined })
}

fn operator(given: &[Given]) -> Option<Call> {
    let untyped = |(field, _): &Given| field.data_type().is_null();
    let common = if given.iter().all(untyped) { plain(DataType::Utf8) } else { supertype(given)? };
    let body = match (Kind::of(&common), common.data_type()) {
        (Some(Kind::Text), _) => texts,
        (Some(Kind::Bytes), _) => bytes,
        (_, DataType::List(_)) => return arrays(given),
        _ => return None,
    };
    Some(Call { parameters: vec![Arc::clone(&common); given.len()], returns: common, body })
}

fn texts(columns: &[ArrayRef], _: &[FieldRef]) -> Result<ArrayRef> {
    concatenated(columns, concatenated_texts)
}

fn bytes(columns: &[ArrayRef], _: &[FieldRef]) -> Result<ArrayRef> {
    concatenated(columns, concatenated_bytes)
}

fn concatenated(columns: &[ArrayRef], body: fn(&[ColumnarValue], usize) -> Result<ColumnarValue>) -> Result<ArrayRef> {
    let rows = columns.first().map_or(0, |column| column.len());
    body(&columns.iter().cloned().map(ColumnarValue::Array).collect::<Vec<_>>(), rows)?.into_array(rows)
}

/// NULL where any of the arrays is.
fn joined(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let lists: Vec<_> = columns.iter().map(|column| column.as_list::<i32>()).collect();
    let values = concat(&lists.iter().map(|list| list.values().as_ref()).collect::<Vec<_>>())?;
    let starts: Vec<usize> = lists
        .iter()
        .scan(0, |start, list| {
            let of_this = *start;
            *start += list.values().len();
            Some(of_this)
        })
        .collect();
    let rows = (0..columns[0].len()).map(|row| {
        let mut places = Vec::new();
        for (list, start) in lists.iter().zip(&starts) {
            places.extend(elements(list, row)?.map(|place| place + start));
        }
        Some(places)
    });
    rebuilt(&values, rows.collect(), parameters[0].data_type())
}

/// Of an array of arrays, which no query can have.
fn nested(given: &[Given]) -> Option<Call> {
    let [(outer, _)] = given else { return None };
    let DataType::List(inner) = outer.data_type() else { return None };
    let returns = plain(inner.data_type().clone());
    matches!(inner.data_type(), DataType::List(_)).then(|| Call { parameters: vec![Arc::clone(outer)], returns, body: flattened })
}

fn flattened(columns: &[ArrayRef], _: &[FieldRef]) -> Result<ArrayRef> {
    let outer = columns[0].as_list::<i32>();
    let inner = outer.values().as_list::<i32>();
    let rows = (0..outer.len()).map(|row| {
        let lists = elements(outer, row)?;
        Some(lists.filter_map(|list| elements(inner, list)).flatten().collect())
    });
    rebuilt(inner.values(), rows.collect(), inner.data_type())
}
