//! Formats amounts and dollars.

/// Three significant decimals at most, with thousands separators: 1,250 or 0.128.
pub(crate) fn amount(value: f64) -> String {
    let decimals = match value {
        _ if value.fract() == 0.0 || value >= 1000.0 => 0,
        _ if value >= 1.0 => 2,
        _ => 3,
    };
    trimmed(&with_separators(&format!("{value:.decimals$}")))
}

/// Dollars to the cent, or to two digits where they are less than that: 18.25 or 0.0075.
pub(crate) fn dollars(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value >= 1.0 {
        return with_separators(&format!("{value:.2}"));
    }
    // Up to the second digit that is not 0.
    let decimals = (1.0 - value.log10().floor()).clamp(2.0, 12.0) as usize;
    let mut digits = format!("{value:.decimals$}");
    while digits.len() > "0.00".len() && digits.ends_with('0') {
        digits.pop();
    }
    digits
}

/// Dollars to the cent.
pub(crate) fn cents(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value < 0.01 {
        "< 0.01".to_owned()
    } else {
        with_separators(&format!("{value:.2}"))
    }
}

/// Commas between thousands.
fn with_separators(number: &str) -> String {
    let (whole, rest) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut separated = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            separated.push(',');
        }
        separated.push(digit);
    }
    separated + rest
}

/// Without trailing zeros after the decimal point.
fn trimmed(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_three_decimals_at_most() {
        for (value, printed) in [
            (0.0, "0"),
            (0.128, "0.128"),
            (0.5, "0.5"),
            (5.0, "5"),
            (12.345, "12.35"),
            (999.999, "1,000"),
            (1250.0, "1,250"),
            (1e12, "1,000,000,000,000"),
        ] {
            assert_eq!(amount(value), printed);
        }
    }

    #[test]
    fn dollars_are_printed_to_the_cent_or_to_two_digits() {
        for (value, printed) in [
            (0.0, "0"),
            (18.25, "18.25"),
            (1234.5, "1,234.50"),
            (0.4, "0.40"),
            (0.08, "0.08"),
            (0.0488, "0.049"),
            (0.0075, "0.0075"),
            (0.008, "0.008"),
            (0.0303, "0.03"),
            (0.000024, "0.000024"),
            (0.0000025, "0.0000025"),
            (4.5678, "4.57"),
        ] {
            assert_eq!(dollars(value), printed);
        }
    }

    #[test]
    fn less_than_a_cent_is_not_printed_as_zero() {
        for (value, printed) in [(0.0, "0"), (0.004, "< 0.01"), (0.01, "0.01"), (0.075, "0.07"), (1234.5, "1,234.50")] {
            assert_eq!(cents(value), printed);
        }
    }
}
