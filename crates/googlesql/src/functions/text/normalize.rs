//! NORMALIZE, NORMALIZE_AND_CASEFOLD and CONTAINS_SUBSTR.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::super::Function;
use super::super::adapter::{scalar, scalar_with_date_part};
use super::super::column::{Bool, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;

/// The argument index of the mode, which is an identifier like a date part.
const MODE: usize = 1;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar_with_date_part(
            "normalize",
            MODE,
            vec![Overload::unary::<Text, Text, _>(|text| normalize(text, "NFC")), Overload::binary::<Text, Text, Text, _>(normalize)],
        ),
        scalar_with_date_part(
            "normalize_and_casefold",
            MODE,
            vec![
                Overload::unary::<Text, Text, _>(|text| normalize_and_casefold(text, "NFC")),
                Overload::binary::<Text, Text, Text, _>(normalize_and_casefold),
            ],
        ),
        scalar(
            "contains_substr",
            vec![Overload::binary::<Text, Text, Bool, _>(|text, substring| {
                Ok::<_, FunctionError>(normalize_and_casefold(text, "NFKC")?.contains(&normalize_and_casefold(substring, "NFKC")?))
            })],
        ),
    ]
}

fn normalize(text: &str, mode: &str) -> Result<String, FunctionError> {
    Ok(match mode {
        "NFC" => ComposingNormalizerBorrowed::new_nfc().normalize(text),
        "NFKC" => ComposingNormalizerBorrowed::new_nfkc().normalize(text),
        "NFD" => DecomposingNormalizerBorrowed::new_nfd().normalize(text),
        "NFKD" => DecomposingNormalizerBorrowed::new_nfkd().normalize(text),
        other => return Err(FunctionError::new(format!("{other} is not a valid normalization mode: NFC, NFKC, NFD, NFKD"))),
    }
    .into_owned())
}

fn normalize_and_casefold(text: &str, mode: &str) -> Result<String, FunctionError> {
    let folded: String = normalize(text, mode)?.chars().flat_map(casefold).collect();
    normalize(&folded, mode)
}

/// Applies full Unicode case folding: upper case, then lower case (ß becomes `ss`). The dotless i and
/// Cherokee letters are exceptions.
fn casefold(character: char) -> Vec<char> {
    match character {
        'ı' | '\u{13a0}'..='\u{13f5}' => vec![character],
        '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => character.to_uppercase().collect(),
        'İ' => vec!['i', '\u{307}'],
        _ => character.to_uppercase().flat_map(char::to_lowercase).collect(),
    }
}
