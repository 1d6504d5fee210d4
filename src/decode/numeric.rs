//! Checks that a decimal text fits NUMERIC or BIGNUMERIC, and writes it in plain notation.
//!
//! Written by hand: BIGNUMERIC has up to 76 digits. `rust_decimal` has 28, and `bigdecimal` has no limits of precision and
//! scale, so its results would need the same checks, and a short text such as `1e999999999` would allocate its digits.
//!
//! Ranges: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types>.
//! A value with more fraction digits than the scale does not fit. It is not rounded: the column becomes NULL, and
//! `invalid_attributes` names it.

/// The maximum numbers of digits before and after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    integer_digits: usize,
    scale: usize,
}

impl Decimal {
    /// NUMERIC without parameters: 29 and 9 digits.
    pub const NUMERIC: Self = Self { integer_digits: 29, scale: 9 };
    /// BIGNUMERIC without parameters: 38 and 38 digits. Its range includes some numbers of 39 digits, which are rejected
    /// here.
    pub const BIGNUMERIC: Self = Self { integer_digits: 38, scale: 38 };

    /// `NUMERIC(precision, scale)`, limited to the type's own digits.
    pub fn with_parameters(self, precision: Option<usize>, scale: Option<usize>) -> Self {
        let Some(precision) = precision else { return self };
        let scale = scale.unwrap_or(0).min(self.scale);
        Self { integer_digits: precision.saturating_sub(scale).min(self.integer_digits), scale }
    }

    /// The number in plain notation, or `None` if the text is not a number or does not fit.
    pub fn parse(self, text: &str) -> Option<String> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.as_bytes().first()? {
            b'-' => (true, &mantissa[1..]),
            b'+' => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if integer.len() + fraction.len() == 0 || !integer.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
            return None;
        }
        self.place_point(negative, integer, fraction, exponent)
    }

    fn place_point(self, negative: bool, integer: &str, fraction: &str, exponent: i32) -> Option<String> {
        let digits = [integer, fraction].concat();
        let leading = digits.len() - digits.trim_start_matches('0').len();
        let digits = digits.trim_end_matches('0').get(leading..).unwrap_or("");
        if digits.is_empty() {
            return Some("0".to_owned());
        }
        // The number of remaining digits before the point; negative if zeros follow the point.
        let point = integer.len() as i64 - leading as i64 + i64::from(exponent);
        let scale = (digits.len() as i64 - point).max(0);
        if point > self.integer_digits as i64 || scale > self.scale as i64 {
            return None;
        }
        let sign = if negative { "-" } else { "" };
        Some(if point <= 0 {
            format!("{sign}0.{}{digits}", "0".repeat(point.unsigned_abs() as usize))
        } else if digits.len() as i64 <= point {
            format!("{sign}{digits}{}", "0".repeat(point as usize - digits.len()))
        } else {
            format!("{sign}{}.{}", &digits[..point as usize], &digits[point as usize..])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_fit_are_written_in_plain_notation() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("12.50", "12.5"),
            ("+7", "7"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1000"),
            ("12.5E-2", "0.125"),
            ("100", "100"),
            ("0.001", "0.001"),
            ("99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999"),
        ] {
            assert_eq!(Decimal::NUMERIC.parse(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_rejected() {
        for text in [
            "",
            "-",
            ".",
            "e1",
            "1e",
            "1e99999999999",
            "NaN",
            "1,5",
            "0x10",
            "100000000000000000000000000000",
            "0.0000000001",
            "1e30",
            "1e-10",
            "1 ",
        ] {
            assert_eq!(Decimal::NUMERIC.parse(text), None, "{text}");
        }
        assert_eq!(Decimal::BIGNUMERIC.parse("1e-38").unwrap().len(), 40);
        assert_eq!(Decimal::BIGNUMERIC.parse("1e38"), None);
    }

    #[test]
    fn parameters_narrow_the_type() {
        let money = Decimal::NUMERIC.with_parameters(Some(5), Some(2));
        assert_eq!(money.parse("999.99").as_deref(), Some("999.99"));
        assert_eq!(money.parse("1000"), None);
        assert_eq!(money.parse("0.125"), None);
    }
}
