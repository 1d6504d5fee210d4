//! NORMALIZE, NORMALIZE_AND_CASEFOLD, and CONTAINS_SUBSTR, which compares by them.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use super::super::Function;
use super::super::adapter::{scalar, scalar_with_part};
use super::super::column::{Bool, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;

/// The mode is an identifier, as date parts are.
const MODE: usize = 1;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar_with_part(
            "normalize",
            MODE,
            vec![Overload::unary::<Text, Text, _>(|text| normalize(text, "NFC")), Overload::binary::<Text, Text, Text, _>(normalize)],
        ),
        scalar_with_part(
            "normalize_and_casefold",
            MODE,
            vec![Overload::unary::<Text, Text, _>(|text| folded(text, "NFC")), Overload::binary::<Text, Text, Text, _>(folded)],
        ),
        scalar(
            "contains_substr",
            vec![Overload::binary::<Text, Text, Bool, _>(|text, part| {
                Ok::<_, FunctionError>(folded(text, "NFKC")?.contains(&folded(part, "NFKC")?))
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

fn folded(text: &str, mode: &str) -> Result<String, FunctionError> {
    let folded: String = normalize(text, mode)?.chars().flat_map(fold).collect();
    normalize(&folded, mode)
}

/// Unicode's full case folding: lower case by way of upper case (ß is `ss`), which the dotless i
/// does not survive and Cherokee does the other way round.
fn fold(character: char) -> Vec<char> {
    match character {
        'ı' | '\u{13a0}'..='\u{13f5}' => vec![character],
        '\u{13f8}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}' => character.to_uppercase().collect(),
        'İ' => vec!['i', '\u{307}'],
        _ => character.to_uppercase().flat_map(char::to_lowercase).collect(),
    }
}
