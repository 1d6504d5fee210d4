//! Number formats of printf.

use datafusion::arrow::datatypes::i256;

use super::super::number::decimal::{divide_rounding, power_of_ten, to_float};
use super::super::number::{decimal as decimals, floating};
use super::pattern::Flags;

/// A number in an exact representation.
pub(crate) enum Number {
    Float(f64),
    Decimal { units: i256, scale: u32 },
}

/// Formats as `%d`, with at least `precision` digits.
pub(crate) fn decimal(value: i64, flags: Flags, precision: Option<usize>) -> String {
    let digits = pad_digits(value.unsigned_abs().to_string(), precision);
    let digits = if flags.groups { group_digits(&digits, 3, ',') } else { digits };
    format!("{}{digits}", sign(value < 0, flags))
}

/// Formats as `%o`. The flag `#` adds the prefix `0`.
pub(crate) fn octal(value: u64, flags: Flags, precision: Option<usize>) -> String {
    let digits = pad_digits(format!("{value:o}"), precision);
    let digits = if flags.groups { group_digits(&digits, 4, ',') } else { digits };
    if flags.alternate && !digits.starts_with('0') { format!("0{digits}") } else { digits }
}

/// Formats as `%x`. The flag `#` adds the prefix `0x`.
pub(crate) fn hex(value: u64, flags: Flags, precision: Option<usize>) -> String {
    let digits = pad_digits(format!("{value:x}"), precision);
    let digits = if flags.groups { group_digits(&digits, 4, ':') } else { digits };
    if flags.alternate && value != 0 { format!("0x{digits}") } else { digits }
}

/// Formats as `%f`.
pub(crate) fn fixed(value: Number, flags: Flags, precision: usize) -> String {
    let (negative, text) = match value {
        Number::Float(value) => match floating::non_finite_name(value) {
            Some(name) => return format_non_finite(name, flags),
            None => (value.is_sign_negative(), format!("{:.precision$}", value.abs())),
        },
        Number::Decimal { units, scale } => (units.is_negative(), fixed_decimal(units, scale, precision)),
    };
    let text = if flags.alternate && precision == 0 { text + "." } else { text };
    with_sign_and_groups(negative, text, flags)
}

/// Returns the digits of a decimal without its sign, rounded half away from zero.
fn fixed_decimal(units: i256, scale: u32, precision: usize) -> String {
    let dropped = (scale as usize).saturating_sub(precision) as u32;
    let remaining_scale = scale - dropped;
    let rounded = divide_rounding(units, power_of_ten(dropped)).expect("division by a power of ten does not overflow");
    let text = decimals::write(rounded, remaining_scale);
    let text = text.trim_start_matches('-');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    match precision {
        0 => whole.to_owned(),
        precision => format!("{whole}.{fraction:0<precision$}"),
    }
}

/// Formats as `%e`.
pub(crate) fn exponent(value: Number, flags: Flags, precision: usize) -> String {
    let value = to_f64(&value);
    match floating::non_finite_name(value) {
        Some(name) => format_non_finite(name, flags),
        None => {
            with_sign_and_groups(value.is_sign_negative(), floating::exponential(value.abs(), precision), Flags { groups: false, ..flags })
        }
    }
}

/// Formats as `%g`: the shorter of `%e` and `%f`.
pub(crate) fn general(value: Number, flags: Flags, precision: usize) -> String {
    let value = to_f64(&value);
    match floating::non_finite_name(value) {
        Some(name) => format_non_finite(name, flags),
        None => with_sign_and_groups(value.is_sign_negative(), floating::general(value.abs(), precision, flags.alternate), flags),
    }
}

fn to_f64(value: &Number) -> f64 {
    match value {
        Number::Float(value) => *value,
        Number::Decimal { units, scale } => to_float(*units, *scale),
    }
}

fn with_sign_and_groups(negative: bool, text: String, flags: Flags) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = if flags.groups { group_digits(&text[..end], 3, ',') } else { text[..end].to_owned() };
    format!("{}{whole}{}", sign(negative, flags), &text[end..])
}

fn format_non_finite(name: &str, flags: Flags) -> String {
    let negative = name.starts_with('-');
    let sign = if name == "nan" { "" } else { sign(negative, flags) };
    format!("{sign}{}", name.trim_start_matches('-'))
}

fn sign(negative: bool, flags: Flags) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, _, _) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

fn pad_digits(digits: String, precision: Option<usize>) -> String {
    format!("{digits:0>width$}", width = precision.unwrap_or(0))
}

/// Separates digits into groups from the right.
fn group_digits(digits: &str, size: usize, separator: char) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}
