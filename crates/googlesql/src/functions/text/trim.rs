//! TRIM, LTRIM, RTRIM.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Text};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar("trim", overloads(true, true)), scalar("ltrim", overloads(true, false)), scalar("rtrim", overloads(false, true))]
}

fn overloads(start: bool, end: bool) -> Vec<Overload> {
    let trim = move |text: &str, is_trimmed: &dyn Fn(char) -> bool| {
        let text = if start { text.trim_start_matches(is_trimmed) } else { text };
        if end { text.trim_end_matches(is_trimmed).to_owned() } else { text.to_owned() }
    };
    vec![
        Overload::unary::<Text, Text, _>(move |text| trim(text, &char::is_whitespace)),
        Overload::binary::<Text, Text, Text, _>(move |text, set| trim(text, &|character| set.contains(character))),
        Overload::binary::<Bytes, Bytes, Bytes, _>(move |bytes, set| {
            let is_kept = |byte: &u8| !set.contains(byte);
            let first = if start { bytes.iter().position(is_kept) } else { Some(0) };
            let last = if end { bytes.iter().rposition(is_kept).map(|last| last + 1) } else { Some(bytes.len()) };
            bytes.get(first.unwrap_or(bytes.len())..last.unwrap_or(0)).unwrap_or(&[]).to_vec()
        }),
    ]
}
