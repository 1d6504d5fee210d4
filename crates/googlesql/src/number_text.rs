//! Formats numbers like BigQuery: decimals without exponent, doubles like Java.

/// Removes the exponent, the plus sign and superfluous zeros of a number. Returns `None` if the text is not a number,
/// or has more than `max_integer_digits` before or `max_fraction_digits` after the decimal point.
pub fn decimal(text: &str, max_integer_digits: usize, max_fraction_digits: usize) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    // The limits prevent that `1e2000000000` allocates two billion zeros.
    let plausible = !digits.is_empty() && digits.len() <= 200 && exponent.unsigned_abs() <= 200;
    if !plausible || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }

    let point = whole.len() as i32 + exponent;
    let zeros = |n: i32| "0".repeat(n.max(0) as usize);
    let padded = format!("{}{digits}{}", zeros(-point), zeros(point - digits.len() as i32));
    let (whole, fraction) = padded.split_at(point.max(0) as usize);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() > max_integer_digits || fraction.len() > max_fraction_digits {
        return None;
    }
    Some(match (whole, fraction) {
        ("", "") => "0".to_owned(),
        ("", fraction) => format!("{sign}0.{fraction}"),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

/// Formats a double like Java and BigQuery: without exponent from 0.001 to 10,000,000, otherwise with an exponent, and
/// always with a decimal.
pub fn double(value: f64) -> String {
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        return format!("{value:?}");
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

/// Formats a timestamp in seconds, BigQuery's default: `1.447968299028E9`.
pub fn timestamp_seconds(micros: i64) -> String {
    double(micros as f64 / 1e6)
}
