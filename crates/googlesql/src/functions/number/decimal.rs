//! NUMERIC and BIGNUMERIC as integers in units of 1e-9 and 1e-38.

use datafusion::arrow::datatypes::i256;

pub(crate) const NUMERIC_SCALE: u32 = 9;
pub(crate) const BIGNUMERIC_SCALE: u32 = 38;

/// Returns 10^exponent. The exponent is at most 76.
pub(crate) fn power_of_ten(exponent: u32) -> i256 {
    i256::from_i128(10).wrapping_pow(exponent)
}

/// Parses a number in units of 10^-scale and rounds half away from zero. Returns none if the text
/// is not a number or the number is too large.
pub(crate) fn read(text: &str, scale: u32) -> Option<i256> {
    let text = text.trim_ascii();
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }

    // The value keeps this number of digits. The next digit decides the rounding.
    let digit_count = i64::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(i64::from(scale))?;
    let ten = i256::from_i128(10);
    let mut units = i256::ZERO;
    let mut digits_read = 0;
    let mut round_up = false;
    for digit in digits() {
        if digits_read >= digit_count {
            round_up = digits_read == digit_count && digit >= b'5';
            break;
        }
        units = units.checked_mul(ten)?.checked_add(i256::from_i128(i128::from(digit - b'0')))?;
        digits_read += 1;
    }
    while digits_read < digit_count && units != i256::ZERO {
        units = units.checked_mul(ten)?;
        digits_read += 1;
    }
    if round_up {
        units = units.checked_add(i256::ONE)?;
    }
    Some(if negative { units.wrapping_neg() } else { units })
}

/// Converts a float's exact value. Returns none for NaN, infinities and values that are too large.
pub(crate) fn from_float(value: f64, scale: u32) -> Option<i256> {
    // Halves at either scale have fewer than 60 decimals, so this text is exact for rounding.
    value.is_finite().then(|| read(&format!("{value:.60}"), scale))?
}

/// Returns the value as NUMERIC if it has at most 29 digits before the decimal point.
pub(crate) fn numeric(units: Option<i256>) -> Option<i128> {
    let limit = i256::from_i128(10_i128.pow(38));
    units.filter(|units| *units < limit && *units > limit.wrapping_neg())?.to_i128()
}

/// Formats the number without trailing zeros.
pub(crate) fn write(units: i256, scale: u32) -> String {
    let negative = units.is_negative();
    let digits = units.to_string();
    let digits = digits.trim_start_matches('-');
    let padded = format!("{digits:0>width$}", width = scale as usize + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
    let sign = if negative { "-" } else { "" };
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// Divides and rounds half away from zero. The divisor must not be zero.
pub(crate) fn divide_rounding(dividend: i256, divisor: i256) -> Option<i256> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend.checked_rem(divisor)?;
    let away = match (rest.is_negative(), divisor.is_negative()) {
        _ if rest == i256::ZERO => return Some(quotient),
        (rest, divisor) if rest == divisor => i256::ONE,
        _ => i256::MINUS_ONE,
    };
    let (rest, divisor) = (rest.wrapping_abs(), divisor.wrapping_abs());
    // The same as rest >= divisor / 2, without overflow.
    let round = rest >= divisor.wrapping_sub(rest);
    if round { quotient.checked_add(away) } else { Some(quotient) }
}

/// Converts to the nearest float.
pub(crate) fn to_float(units: i256, scale: u32) -> f64 {
    const EXACT: i128 = 1 << 53;
    match units.to_i128() {
        Some(small) if small.abs() < EXACT && scale <= 22 => small as f64 / 10_f64.powi(scale as i32),
        // `write` returns a valid number, so parsing it cannot fail.
        _ => write(units, scale).parse().expect("a decimal number is a valid float"),
    }
}
