//! Numbers as BigQuery writes them: decimals in one plain form, doubles as Java does.

/// The number without exponent, plus or superfluous zeros; `None` if it is no number, or has more
/// than so many digits before or after the point.
pub fn decimal(text: &str, most_before: usize, most_after: usize) -> Option<String> {
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
    // The bounds keep `1e2000000000` from becoming two billion zeros.
    let plausible = !digits.is_empty() && digits.len() <= 200 && exponent.unsigned_abs() <= 200;
    if !plausible || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }

    let point = whole.len() as i32 + exponent;
    let zeros = |n: i32| "0".repeat(n.max(0) as usize);
    let padded = format!("{}{digits}{}", zeros(-point), zeros(point - digits.len() as i32));
    let (whole, fraction) = padded.split_at(point.max(0) as usize);
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() > most_before || fraction.len() > most_after {
        return None;
    }
    Some(match (whole, fraction) {
        ("", "") => "0".to_owned(),
        ("", fraction) => format!("{sign}0.{fraction}"),
        (whole, "") => format!("{sign}{whole}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

/// A double as Java writes it, which is how BigQuery does: plain between a thousandth and ten million, else with an
/// exponent, and always with a decimal.
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

/// A timestamp of so many microseconds, as BigQuery gives it by default: seconds, as `1.447968299028E9`.
pub fn timestamp_seconds(micros: i64) -> String {
    double(micros as f64 / 1e6)
}
