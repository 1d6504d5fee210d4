//! FLOAT64 as text, in the formats of C's printf.

/// Formats a float as CAST to STRING does: with 15 digits if they parse to the same number, else with 17.
pub(crate) fn write(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let short = general(value, 15, false);
    if !value.is_finite() || short.parse() == Ok(value) { short } else { general(value, 17, false) }
}

/// Returns `inf`, `-inf` or `nan`. Returns none for a finite number.
pub(crate) fn non_finite_name(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_finite() => None,
        _ if value.is_nan() => Some("nan"),
        _ if value > 0.0 => Some("inf"),
        _ => Some("-inf"),
    }
}

/// Formats as `%.{precision}g`. `alternate` keeps the trailing zeros.
pub(crate) fn general(value: f64, precision: usize, alternate: bool) -> String {
    if let Some(name) = non_finite_name(value) {
        return name.to_owned();
    }
    let precision = precision.max(1);
    let scientific = exponential(value, precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("an exponent follows the mantissa");
    let exponent: i64 = exponent.parse().expect("the exponent is an integer");
    let trimmed = |digits: &str| match digits.contains('.') && !alternate {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    if exponent < -4 || exponent >= precision as i64 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let decimals = (precision as i64 - 1 - exponent).max(0) as usize;
    trimmed(&format!("{value:.decimals$}"))
}

/// Formats as `%.{precision}e`. The exponent has at least two digits.
pub(crate) fn exponential(value: f64, precision: usize) -> String {
    if let Some(name) = non_finite_name(value) {
        return name.to_owned();
    }
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').expect("`{:e}` writes an exponent");
    match exponent.strip_prefix('-') {
        Some(negative) => format!("{mantissa}e-{negative:0>2}"),
        None => format!("{mantissa}e+{exponent:0>2}"),
    }
}
