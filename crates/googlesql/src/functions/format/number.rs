//! Numbers as printf writes them.

use datafusion::arrow::datatypes::i256;

use super::super::number::decimal::{divide_rounding, power_of_ten, to_float};
use super::super::number::{decimal as decimals, floating};
use super::pattern::Flags;

/// A number in the form in which it is exact.
pub(crate) enum Number {
    Float(f64),
    Decimal { units: i256, scale: u32 },
}

/// `%d`: at least `precision` digits.
pub(crate) fn decimal(value: i64, flags: Flags, precision: Option<usize>) -> String {
    let digits = at_least(value.unsigned_abs().to_string(), precision);
    let digits = if flags.groups { grouped(&digits, 3, ',') } else { digits };
    format!("{}{digits}", sign(value < 0, flags))
}

/// `%o`: `#` puts a zero before it.
pub(crate) fn octal(value: u64, flags: Flags, precision: Option<usize>) -> String {
    let digits = at_least(format!("{value:o}"), precision);
    let digits = if flags.groups { grouped(&digits, 4, ',') } else { digits };
    if flags.alternate && !digits.starts_with('0') { format!("0{digits}") } else { digits }
}

/// `%x`: `#` puts `0x` before it.
pub(crate) fn hex(value: u64, flags: Flags, precision: Option<usize>) -> String {
    let digits = at_least(format!("{value:x}"), precision);
    let digits = if flags.groups { grouped(&digits, 4, ':') } else { digits };
    if flags.alternate && value != 0 { format!("0x{digits}") } else { digits }
}

/// `%f`.
pub(crate) fn fixed(value: Number, flags: Flags, precision: usize) -> String {
    let (negative, text) = match value {
        Number::Float(value) => match floating::not_finite(value) {
            Some(name) => return not_finite(name, flags),
            None => (value.is_sign_negative(), format!("{:.precision$}", value.abs())),
        },
        Number::Decimal { units, scale } => (units.is_negative(), fixed_decimal(units, scale, precision)),
    };
    let text = if flags.alternate && precision == 0 { text + "." } else { text };
    finished(negative, text, flags)
}

/// The digits of a decimal without its sign, rounded half away from zero.
fn fixed_decimal(units: i256, scale: u32, precision: usize) -> String {
    let dropped = (scale as usize).saturating_sub(precision) as u32;
    let kept = scale - dropped;
    // Dividing by a power of ten does not overflow.
    let rounded = divide_rounding(units, power_of_ten(dropped)).unwrap_or(units);
    let text = decimals::write(rounded, kept);
    let text = text.trim_start_matches('-');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    match precision {
        0 => whole.to_owned(),
        precision => format!("{whole}.{fraction:0<precision$}"),
    }
}

/// `%e`.
pub(crate) fn exponent(value: Number, flags: Flags, precision: usize) -> String {
    let value = float(&value);
    match floating::not_finite(value) {
        Some(name) => not_finite(name, flags),
        None => finished(value.is_sign_negative(), floating::exponential(value.abs(), precision), Flags { groups: false, ..flags }),
    }
}

/// `%g`: the shorter of `%e` and `%f`.
pub(crate) fn general(value: Number, flags: Flags, precision: usize) -> String {
    let value = float(&value);
    match floating::not_finite(value) {
        Some(name) => not_finite(name, flags),
        None => finished(value.is_sign_negative(), floating::general(value.abs(), precision, flags.alternate), flags),
    }
}

fn float(value: &Number) -> f64 {
    match value {
        Number::Float(value) => *value,
        Number::Decimal { units, scale } => to_float(*units, *scale),
    }
}

fn finished(negative: bool, text: String, flags: Flags) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let whole = if flags.groups { grouped(&text[..end], 3, ',') } else { text[..end].to_owned() };
    format!("{}{whole}{}", sign(negative, flags), &text[end..])
}

fn not_finite(name: &str, flags: Flags) -> String {
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

fn at_least(digits: String, precision: Option<usize>) -> String {
    format!("{digits:0>width$}", width = precision.unwrap_or(0))
}

/// In groups from the right.
fn grouped(digits: &str, size: usize, separator: char) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}
