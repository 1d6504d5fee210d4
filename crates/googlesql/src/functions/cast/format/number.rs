//! The format of a number: `$999,999.99`.
//!
//! The text is as wide as the format, and by one more where a sign has no place of its own.

use std::str::FromStr;

use datafusion::arrow::datatypes::i256;

use super::super::super::function_error::FunctionError;
use super::super::super::number::decimal;

#[derive(Debug)]
pub(crate) struct NumberFormat {
    dollar: bool,
    sign: Sign,
    /// Before the point, `9`, `0` and `,` (of `G`, too).
    whole: Vec<Place>,
    /// Digits after the point; none without a point.
    decimals: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Blank before the first digit that is not zero.
    Nine,
    Zero,
    Comma,
}

/// Where the sign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Before the number, `-` or a blank.
    Before,
    /// `S` in front: `-` or `+`.
    First,
    /// `S` at the end.
    Last,
    /// `MI`: at the end, `-` or a blank.
    Minus,
    /// `PR`: in angle brackets.
    Brackets,
}

impl FromStr for NumberFormat {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<NumberFormat, FunctionError> {
        let unsupported = || FunctionError::new(format!("The local BigQuery does not support the number format '{text}'"));
        let mut format = NumberFormat { dollar: false, sign: Sign::Before, whole: Vec::new(), decimals: None };
        let capitals = text.to_ascii_uppercase();
        let mut rest = capitals.as_str();
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
                ('9', None) => format.whole.push(Place::Nine),
                ('0', None) => format.whole.push(Place::Zero),
                (',' | 'G', None) => format.whole.push(Place::Comma),
                ('.' | 'D', decimals @ None) => *decimals = Some(0),
                ('9' | '0', Some(decimals)) if *decimals < 38 => *decimals += 1,
                _ => return Err(unsupported()),
            }
        }
        let has_digits = format.decimals() > 0 || format.whole.iter().any(|place| *place != Place::Comma);
        has_digits.then_some(format).ok_or_else(unsupported)
    }
}

impl NumberFormat {
    pub(crate) fn decimals(&self) -> u32 {
        self.decimals.unwrap_or(0)
    }

    /// Of units of 10^-scale.
    pub(crate) fn write(&self, units: i256, scale: u32) -> Result<String, FunctionError> {
        let too_large = || FunctionError::new("numeric overflow in the number format");
        let rounded = match scale.checked_sub(self.decimals()) {
            Some(more) => decimal::divide_rounding(units, decimal::power_of_ten(more)),
            None => units.checked_mul(decimal::power_of_ten(self.decimals() - scale)),
        };
        let rounded = rounded.ok_or_else(too_large)?;
        let digits = format!("{:0>width$}", rounded.to_string().trim_start_matches('-'), width = self.decimals() as usize);
        let (whole, fraction) = digits.split_at(digits.len() - self.decimals() as usize);
        let point = if self.decimals.is_some() { "." } else { "" };
        let number = match self.whole(whole.trim_start_matches('0')) {
            Some(whole) => format!("{whole}{point}{fraction}"),
            None => format!("{}{point}{}", self.hashes(), "#".repeat(self.decimals() as usize)),
        };
        Ok(self.signed(rounded.is_negative(), &number))
    }

    /// The digits in their places; none if there are more of them than places.
    fn whole(&self, digits: &str) -> Option<String> {
        let places = self.whole.iter().filter(|place| **place != Place::Comma).count();
        let mut blanks = places.checked_sub(digits.len())?;
        // A zero is shown where there is nothing else.
        if digits.is_empty() && self.decimals() == 0 {
            blanks -= 1;
        }
        let forced = self.whole.iter().filter(|place| **place != Place::Comma).position(|place| *place == Place::Zero);
        let blanks = blanks.min(forced.unwrap_or(blanks));
        let padded = format!("{digits:0>places$}");
        let mut digits = padded.chars();
        let mut text = String::new();
        let mut passed = 0;
        for place in &self.whole {
            match place {
                Place::Comma if passed > blanks => text.push(','),
                Place::Comma => {}
                Place::Nine | Place::Zero => {
                    let digit = digits.next()?;
                    if passed >= blanks {
                        text.push(digit);
                    }
                    passed += 1;
                }
            }
        }
        Some(text)
    }

    fn hashes(&self) -> String {
        self.whole.iter().map(|place| if *place == Place::Comma { ',' } else { '#' }).collect()
    }

    fn signed(&self, negative: bool, number: &str) -> String {
        let money = if self.dollar { format!("${number}") } else { number.to_owned() };
        let width = self.whole.len() + usize::from(self.dollar) + self.decimals.map_or(0, |decimals| decimals as usize + 1);
        match (self.sign, negative) {
            (Sign::Before, true) => format!("{:>width$}", format!("-{money}"), width = width + 1),
            (Sign::Before, false) => format!("{money:>width$}", width = width + 1),
            (Sign::First, negative) => {
                let sign = if negative { '-' } else { '+' };
                format!("{:>width$}", format!("{sign}{money}"), width = width + 1)
            }
            (Sign::Last, negative) => format!("{money:>width$}{}", if negative { '-' } else { '+' }),
            (Sign::Minus, negative) => format!("{money:>width$}{}", if negative { '-' } else { ' ' }),
            (Sign::Brackets, true) => format!("{:>width$}", format!("<{money}>"), width = width + 2),
            (Sign::Brackets, false) => format!("{:>width$}", format!(" {money} "), width = width + 2),
        }
    }
}
