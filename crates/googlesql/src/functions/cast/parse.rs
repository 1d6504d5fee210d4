//! PARSE_NUMERIC and PARSE_BIGNUMERIC, which accept separators and trailing signs: `1,234.5-`.

use datafusion::arrow::datatypes::i256;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{BigNumeric, Numeric, Text};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let invalid = |name: &str, text: &str| FunctionError::new(format!("Invalid input to {name}: \"{text}\""));
    vec![
        scalar(
            "parse_numeric",
            vec![Overload::unary::<Text, Numeric, _>(move |text| {
                decimal::numeric(parse_number(text, NUMERIC_SCALE)).ok_or_else(|| invalid("PARSE_NUMERIC", text))
            })],
        ),
        scalar(
            "parse_bignumeric",
            vec![Overload::unary::<Text, BigNumeric, _>(move |text| {
                parse_number(text, BIGNUMERIC_SCALE).ok_or_else(|| invalid("PARSE_BIGNUMERIC", text))
            })],
        ),
    ]
}

/// Accepts one leading or trailing sign, spaces around it, and commas before the decimal point.
fn parse_number(text: &str, scale: u32) -> Option<i256> {
    let text = text.trim_ascii();
    let (sign, number) = match (text.chars().next()?, text.chars().last()?) {
        (sign @ ('+' | '-'), _) => (sign, &text[1..]),
        (_, sign @ ('+' | '-')) => (sign, &text[..text.len() - 1]),
        _ => ('+', text),
    };
    let number = number.trim_ascii();
    let whole = number.find(['.', 'e', 'E']).unwrap_or(number.len());
    let without_commas = format!("{}{}", number[..whole].replace(',', ""), &number[whole..]);
    let has_no_sign = without_commas.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    has_no_sign.then(|| decimal::read(&format!("{sign}{without_commas}"), scale))?
}
