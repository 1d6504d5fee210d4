//! A number of events or users on the command line.

use std::str::FromStr;

/// A whole number such as 250000, 250k, 1.5M or 1e6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Count(pub(crate) u64);

/// A trillion. List prices do not apply beyond it.
const MAX_COUNT: u64 = 1_000_000_000_000;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadCount {
    #[error("not a number: write 250000, 250k, 1.5M or 1e6")]
    NotANumber,
    #[error("not a whole number")]
    NotWhole,
    #[error("less than 0")]
    Negative,
    #[error("more than 1e12, beyond which list prices do not apply")]
    TooMany,
}

impl FromStr for Count {
    type Err = BadCount;

    fn from_str(text: &str) -> Result<Self, BadCount> {
        let text = text.trim();
        let (digits, power) = match text.char_indices().next_back() {
            Some((at, 'k' | 'K')) => (&text[..at], 3),
            Some((at, 'm' | 'M')) => (&text[..at], 6),
            Some((at, 'b' | 'B' | 'g' | 'G')) => (&text[..at], 9),
            _ => (text, 0),
        };
        // Rust also takes `inf`, `nan` and `infinity` for a number.
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-' | b'e' | b'E')) {
            return Err(BadCount::NotANumber);
        }
        // As a power of ten in the text, so that 1.1M is exactly 1,100,000.
        let spelled = if power == 0 { digits.to_owned() } else { format!("{digits}e{power}") };
        let number: f64 = spelled.parse().map_err(|_| BadCount::NotANumber)?;
        match number {
            _ if number < 0.0 => Err(BadCount::Negative),
            _ if number > MAX_COUNT as f64 => Err(BadCount::TooMany),
            _ if number.fract() != 0.0 => Err(BadCount::NotWhole),
            _ => Ok(Self(number as u64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_count_is_read_in_every_notation() {
        for (text, count) in [
            ("0", 0),
            ("250000", 250_000),
            (" 250k ", 250_000),
            ("250K", 250_000),
            ("1.1M", 1_100_000),
            ("1m", 1_000_000),
            ("2B", 2_000_000_000),
            ("2g", 2_000_000_000),
            ("1e6", 1_000_000),
            ("1E+6", 1_000_000),
            ("2.5e3", 2_500),
            ("-0", 0),
            ("1e12", 1_000_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Count(count)), "{text}");
        }
    }

    #[test]
    fn an_invalid_count_is_refused_with_the_reason() {
        for (text, error) in [
            ("", BadCount::NotANumber),
            ("k", BadCount::NotANumber),
            ("many", BadCount::NotANumber),
            ("NaN", BadCount::NotANumber),
            ("inf", BadCount::NotANumber),
            ("1e3k", BadCount::NotANumber),
            ("1,000", BadCount::NotANumber),
            ("1_000", BadCount::NotANumber),
            ("0x10", BadCount::NotANumber),
            ("1½", BadCount::NotANumber),
            ("1.5", BadCount::NotWhole),
            ("1e-3", BadCount::NotWhole),
            ("-5", BadCount::Negative),
            ("-1e400", BadCount::Negative),
            ("1000000000001", BadCount::TooMany),
            ("1e400", BadCount::TooMany),
            ("99999999999999999999", BadCount::TooMany),
        ] {
            assert_eq!(text.parse::<Count>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_without_a_unit_is_unchanged(count in 0..=MAX_COUNT) {
            prop_assert_eq!(count.to_string().parse(), Ok(Count(count)));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = text.parse::<Count>();
        }
    }
}
