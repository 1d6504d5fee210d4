//! ARRAY_TO_STRING.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Bytes, Text};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "array_to_string",
        vec![
            Overload::binary::<ArrayOf<Text>, Text, Text, _>(|array, delimiter| {
                array.into_iter().flatten().collect::<Vec<_>>().join(delimiter)
            }),
            Overload::ternary::<ArrayOf<Text>, Text, Text, Text, _>(|array, delimiter, null| {
                array.into_iter().map(|element| element.unwrap_or(null)).collect::<Vec<_>>().join(delimiter)
            }),
            Overload::binary::<ArrayOf<Bytes>, Bytes, Bytes, _>(|array, delimiter| {
                array.into_iter().flatten().collect::<Vec<_>>().join(delimiter)
            }),
            Overload::ternary::<ArrayOf<Bytes>, Bytes, Bytes, Bytes, _>(|array, delimiter, null| {
                array.into_iter().map(|element| element.unwrap_or(null)).collect::<Vec<_>>().join(delimiter)
            }),
        ],
    )]
}
