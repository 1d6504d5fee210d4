//! PARSE_JSON: JSON of text.

use serde_json::value::RawValue;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Json, Text};
use super::super::failure::Failure;
use super::super::overload::Overload;
use super::scan::compact;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "parse_json",
        vec![Overload::unary::<Text, Json, _>(|text| match serde_json::from_str::<&RawValue>(text) {
            Ok(raw) => Ok(compact(raw.get())),
            Err(error) => Err(Failure::new(format!("Invalid input to PARSE_JSON: {error}"))),
        })],
    )]
}
