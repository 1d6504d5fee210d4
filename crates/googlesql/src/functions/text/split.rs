//! SPLIT.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Bytes, Text};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "split",
        vec![
            Overload::unary::<Text, ArrayOf<Text>, _>(|text| split(text, ",")),
            Overload::binary::<Text, Text, ArrayOf<Text>, _>(split),
            Overload::binary::<Bytes, Bytes, ArrayOf<Bytes>, _>(split_bytes),
        ],
    )]
}

/// An empty delimiter splits into characters. Empty text results in one empty string.
fn split(text: &str, delimiter: &str) -> Vec<String> {
    match (text, delimiter) {
        ("", _) => vec![String::new()],
        (text, "") => text.chars().map(String::from).collect(),
        (text, delimiter) => text.split(delimiter).map(str::to_owned).collect(),
    }
}

fn split_bytes(bytes: &[u8], delimiter: &[u8]) -> Vec<Vec<u8>> {
    if delimiter.is_empty() && !bytes.is_empty() {
        return bytes.iter().map(|byte| vec![*byte]).collect();
    }
    let (mut parts, mut rest) = (Vec::new(), bytes);
    while let Some(at) = (0..rest.len()).find(|&at| !delimiter.is_empty() && rest[at..].starts_with(delimiter)) {
        parts.push(rest[..at].to_vec());
        rest = &rest[at + delimiter.len()..];
    }
    parts.push(rest.to_vec());
    parts
}
