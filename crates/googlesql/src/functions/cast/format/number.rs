//! Number formats: `$999,999.99`.
//!
//! The output has the width of the format, plus one character for a sign without a position of its own.

use std::str::FromStr;

use datafusion::arrow::datatypes::i256;

use super::super::super::function_error::FunctionError;
use super::super::super::number::decimal;

#[derive(Debug)]
pub(crate) struct NumberFormat {
    dollar: bool,
    sign: Sign,
    /// The positions before the decimal point: `9`, `0`, and `,` or `G`.
    integer: Vec<DigitPosition>,
    /// The number of digits after the decimal point. None without a decimal point.
    decimals: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DigitPosition {
    /// A space before the first significant digit.
    Nine,
    Zero,
    Comma,
}

/// The position of the sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Before the number: `-` or a space.
    Before,
    /// `S` at the start: `-` or `+`.
    First,
    /// `S` at the end: `-` or `+`.
    Last,
    /// `MI` at the end: `-` or a space.
    Minus,
    /// `PR`: angle brackets around negative numbers.
    Brackets,
}

impl FromStr for NumberFormat {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<NumberFormat, FunctionError> {
        let unsupported = || FunctionError::new(format!("The BigQuery emulator does not support the number format '{text}'"));
        let mut format = NumberFormat { dollar: false, sign: Sign::Before, integer: Vec::new(), decimals: None };
        let upper = text.to_ascii_uppercase();
        let mut rest = upper.as_str();
        if let Some(after) = rest.strip_prefix('S') {
            (format.sign, rest) = (Sign::First, after);
        }
        for (end, sign) in [("MI", Sign::Minus), ("PR", Sign::Brackets), ("S", Sign::Last)] {
            if let Some(before) = rest.strip_suffix(end).filter(|_| format.sign == Sign::Before) {
                (format.sign, rest) = (sign, before);
            }
        }
        for letter in rest.chars() {
            match (letter, &mut format.decimals) {
                ('$', _) if !format.dollar => format.dollar = true,
                ('9', None) => format.integer.push(DigitPosition::Nine),
                ('0', None) => format.integer.push(DigitPosition::Zero),
                (',' | 'G', None) => format.integer.push(DigitPosition::Comma),
                ('.' | 'D', decimals @ None) => *decimals = Some(0),
                ('9' | '0', Some(decimals)) if *decimals < 38 => *decimals += 1,
                _ => return Err(unsupported()),
            }
        }
        let has_digits = format.decimals() > 0 || format.integer.iter().any(|position| *position != DigitPosition::Comma);
        has_digits.then_some(format).ok_or_else(unsupported)
    }
}

impl NumberFormat {
    pub(crate) fn decimals(&self) -> u32 {
        self.decimals.unwrap_or(0)
    }

    /// Formats units of 10^-scale.
    pub(crate) fn write(&self, units: i256, scale: u32) -> Result<String, FunctionError> {
        let too_large = || FunctionError::new("numeric overflow in the number format");
        let rounded = match scale.checked_sub(self.decimals()) {
            Some(more) => decimal::divide_rounding(units, decimal::power_of_ten(more)),
            None => units.checked_mul(decimal::power_of_ten(self.decimals() - scale)),
        };
        let rounded = rounded.ok_or_else(too_large)?;
        let digits = format!("{:0>width$}", rounded.to_string().trim_start_matches('-'), width = self.decimals() as usize);
        let (integer, fraction) = digits.split_at(digits.len() - self.decimals() as usize);
        let point = if self.decimals.is_some() { "." } else { "" };
        let number = match self.integer(integer.trim_start_matches('0')) {
            Some(integer) => format!("{integer}{point}{fraction}"),
            None => format!("{}{point}{}", self.overflow_digits(), "#".repeat(self.decimals() as usize)),
        };
        Ok(self.add_sign(rounded.is_negative(), &number))
    }

    /// Formats the integer digits. Returns none if there are more digits than positions.
    fn integer(&self, digits: &str) -> Option<String> {
        let position_count = self.integer.iter().filter(|position| **position != DigitPosition::Comma).count();
        let mut blanks = position_count.checked_sub(digits.len())?;
        // The number zero has at least one digit.
        if digits.is_empty() && self.decimals() == 0 {
            blanks -= 1;
        }
        let first_zero =
            self.integer.iter().filter(|position| **position != DigitPosition::Comma).position(|position| *position == DigitPosition::Zero);
        let blanks = blanks.min(first_zero.unwrap_or(blanks));
        let padded = format!("{digits:0>position_count$}");
        let mut digits = padded.chars();
        let mut text = String::new();
        let mut processed = 0;
        for position in &self.integer {
            match position {
                DigitPosition::Comma if processed > blanks => text.push(','),
                DigitPosition::Comma => {}
                DigitPosition::Nine | DigitPosition::Zero => {
                    let digit = digits.next()?;
                    if processed >= blanks {
                        text.push(digit);
                    }
                    processed += 1;
                }
            }
        }
        Some(text)
    }

    fn overflow_digits(&self) -> String {
        self.integer.iter().map(|position| if *position == DigitPosition::Comma { ',' } else { '#' }).collect()
    }

    fn add_sign(&self, negative: bool, number: &str) -> String {
        let amount = if self.dollar { format!("${number}") } else { number.to_owned() };
        let width = self.integer.len() + usize::from(self.dollar) + self.decimals.map_or(0, |decimals| decimals as usize + 1);
        match (self.sign, negative) {
            (Sign::Before, true) => format!("{:>width$}", format!("-{amount}"), width = width + 1),
            (Sign::Before, false) => format!("{amount:>width$}", width = width + 1),
            (Sign::First, negative) => {
                let sign = if negative { '-' } else { '+' };
                format!("{:>width$}", format!("{sign}{amount}"), width = width + 1)
            }
            (Sign::Last, negative) => format!("{amount:>width$}{}", if negative { '-' } else { '+' }),
            (Sign::Minus, negative) => format!("{amount:>width$}{}", if negative { '-' } else { ' ' }),
            (Sign::Brackets, true) => format!("{:>width$}", format!("<{amount}>"), width = width + 2),
            (Sign::Brackets, false) => format!("{:>width$}", format!(" {amount} "), width = width + 2),
        }
    }
}
