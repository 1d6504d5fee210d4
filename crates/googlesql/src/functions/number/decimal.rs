//! NUMERIC and BIGNUMERIC: integers in units of 1e-9 and 1e-38.

use datafusion::arrow::datatypes::i256;

pub(crate) const NUMERIC_SCALE: u32 = 9;
pub(crate) const BIGNUMERIC_SCALE: u32 = 38;

/// 10^exponent, for exponents that occur here (up to 76).
pub(crate) fn power_of_ten(exponent: u32) -> i256 {
    i256::from_i128(10).wrapping_pow(exponent)
}

/// The number in units of 10^-scale, halves away from zero; none if it is no number or too large.
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

    // So many digits count; the next one decides the rounding.
    let kept = i64::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_add(i64::from(scale))?;
    let ten = i256::from_i128(10);
    let mut units = i256::ZERO;
    let mut taken = 0;
    let mut round_up = false;
    for digit in digits() {
        if taken >= kept {
            round_up = taken == kept && digit >= b'5';
            break;
        }
        units = units.checked_mul(ten)?.checked_add(i256::from_i128(i128::from(digit - b'0')))?;
        taken += 1;
    }
    while taken < kept && units != i256::ZERO {
        units = units.checked_mul(ten)?;
        taken += 1;
    }
    if round_up {
        units = units.checked_add(i256::ONE)?;
    }
    Some(if negative { units.wrapping_neg() } else { units })
}

/// Of a float's exact value; none of NaN, infinities and what is too large.
pub(crate) fn of_float(value: f64, scale: u32) -> Option<i256> {
    // Sixty decimals are exact wherever halves can occur.
    value.is_finite().then(|| read(&format!("{value:.60}"), scale))?
}

/// As NUMERIC, if it is in its range: 29 digits before the point.
pub(crate) fn numeric(units: Option<i256>) -> Option<i128> {
    let most = i256::from_i128(10_i128.pow(38));
    units.filter(|units| *units < most && *units > most.wrapping_neg())?.to_i128()
}

/// Without superfluous zeros.
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

/// Divided, halves away from zero. The divisor is not zero.
pub(crate) fn divide_rounding(dividend: i256, divisor: i256) -> Option<i256> {
    let quotient = dividend.checked_div(divisor)?;
    let rest = dividend.checked_rem(divisor)?;
    let away = match (rest.is_negative(), divisor.is_negative()) {
        _ if rest == i256::ZERO => return Some(quotient),
        (rest, divisor) if rest == divisor => i256::ONE,
        _ => i256::MINUS_ONE,
    };
    let (rest, divisor) = (rest.wrapping_abs(), divisor.wrapping_abs());
    // rest ≥ divisor / 2, without an overflow.
    let round = rest >= divisor.wrapping_sub(rest);
    if round { quotient.checked_add(away) } else { Some(quotient) }
}

/// To a float, correctly rounded.
pub(crate) fn to_float(units: i256, scale: u32) -> f64 {
    const EXACT: i128 = 1 << 53;
    match units.to_i128() {
        Some(small) if small.abs() < EXACT && scale <= 22 => small as f64 / 10_f64.powi(scale as i32),
        // What `write` gives is a number.
        _ => write(units, scale).parse().unwrap_or(f64::NAN),
    }
}
