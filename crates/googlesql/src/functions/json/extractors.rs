//! JSON_QUERY, JSON_VALUE, JSON_QUERY_ARRAY, JSON_VALUE_ARRAY and the legacy functions JSON_EXTRACT*.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Json, Parsed, Text};
use super::super::overload::Overload;
use super::path::{JsonPath, PathStep};
use super::scan::{compact, elements, find, is_null, scalar as scalar_text};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("json_query", query()),
        scalar("json_extract", query()),
        scalar("json_value", value()),
        scalar("json_extract_scalar", value()),
        scalar("json_query_array", query_array()),
        scalar("json_extract_array", query_array()),
        scalar("json_value_array", value_array()),
        scalar("json_extract_string_array", value_array()),
    ]
}

fn query() -> Vec<Overload> {
    let from_text = |text: &str, steps: &[PathStep]| find(text, steps).filter(|found| !is_null(found)).map(compact);
    // For a JSON argument, a JSON null is returned as such.
    let from_json = |json: &str, steps: &[PathStep]| find(json, steps).map(compact);
    vec![
        Overload::unary::<Text, Text, _>(move |text| from_text(text, &[])),
        Overload::binary::<Text, Parsed<JsonPath>, Text, _>(move |text, path| from_text(text, &path.0)),
        Overload::unary::<Json, Json, _>(move |json| from_json(json, &[])),
        Overload::binary::<Json, Parsed<JsonPath>, Json, _>(move |json, path| from_json(json, &path.0)),
    ]
}

fn value() -> Vec<Overload> {
    let value = |text: &str, steps: &[PathStep]| find(text, steps).and_then(scalar_text);
    vec![
        Overload::unary::<Text, Text, _>(move |text| value(text, &[])),
        Overload::binary::<Text, Parsed<JsonPath>, Text, _>(move |text, path| value(text, &path.0)),
        Overload::unary::<Json, Text, _>(move |json| value(json, &[])),
        Overload::binary::<Json, Parsed<JsonPath>, Text, _>(move |json, path| value(json, &path.0)),
    ]
}

fn query_array() -> Vec<Overload> {
    let array =
        |text: &str, steps: &[PathStep]| -> Option<Vec<String>> { Some(elements(find(text, steps)?)?.into_iter().map(compact).collect()) };
    vec![
        Overload::unary::<Text, ArrayOf<Text>, _>(move |text| array(text, &[])),
        Overload::binary::<Text, Parsed<JsonPath>, ArrayOf<Text>, _>(move |text, path| array(text, &path.0)),
        Overload::unary::<Json, ArrayOf<Json>, _>(move |json| array(json, &[])),
        Overload::binary::<Json, Parsed<JsonPath>, ArrayOf<Json>, _>(move |json, path| array(json, &path.0)),
    ]
}

/// Returns NULL if an element is not a scalar. A `null` element would become a NULL element, which
/// query results cannot contain.
fn value_array() -> Vec<Overload> {
    let array =
        |text: &str, steps: &[PathStep]| -> Option<Vec<String>> { elements(find(text, steps)?)?.into_iter().map(scalar_text).collect() };
    vec![
        Overload::unary::<Text, ArrayOf<Text>, _>(move |text| array(text, &[])),
        Overload::binary::<Text, Parsed<JsonPath>, ArrayOf<Text>, _>(move |text, path| array(text, &path.0)),
        Overload::unary::<Json, ArrayOf<Text>, _>(move |json| array(json, &[])),
        Overload::binary::<Json, Parsed<JsonPath>, ArrayOf<Text>, _>(move |json, path| array(json, &path.0)),
    ]
}
