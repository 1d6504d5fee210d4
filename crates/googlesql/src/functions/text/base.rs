//! Conversion between BYTES and text: hexadecimal, base32, base64, UTF-8.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;

/// Accepts text with and without padding.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("to_base64", vec![Overload::unary::<Bytes, Text, _>(to_base64)]),
        scalar("from_base64", vec![Overload::unary::<Text, Bytes, _>(from_base64)]),
        scalar("to_base32", vec![Overload::unary::<Bytes, Text, _>(to_base32)]),
        scalar("from_base32", vec![Overload::unary::<Text, Bytes, _>(from_base32)]),
        scalar("to_hex", vec![Overload::unary::<Bytes, Text, _>(to_hex)]),
        scalar("from_hex", vec![Overload::unary::<Text, Bytes, _>(from_hex)]),
        scalar(
            "safe_convert_bytes_to_string",
            vec![Overload::unary::<Bytes, Text, _>(|bytes| String::from_utf8_lossy(bytes).into_owned())],
        ),
    ]
}

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Result<Vec<u8>, FunctionError> {
    let characters: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    LENIENT.decode(characters).map_err(|_| FunctionError::new("Failed to decode invalid base64 string"))
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// An odd number of digits implies a leading 0.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, FunctionError> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let digits: Option<Vec<u8>> = text.bytes().map(digit).collect();
    let mut digits = digits.ok_or_else(|| FunctionError::new(format!("Failed to decode invalid hexadecimal string: {text}")))?;
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(crate) fn to_base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let bits = (0..5).fold(0u64, |bits, index| bits << 8 | u64::from(group.get(index).copied().unwrap_or(0)));
        let digits = (group.len() * 8).div_ceil(5);
        text.extend((0..8).map(|index| match index < digits {
            true => char::from(BASE32[(bits >> (35 - 5 * index) & 31) as usize]),
            false => '=',
        }));
    }
    text
}

pub(crate) fn from_base32(text: &str) -> Result<Vec<u8>, FunctionError> {
    let invalid = || FunctionError::new("Failed to decode invalid base32 string");
    let digits = text.trim_end_matches('=');
    let (mut bytes, mut bits, mut bit_count) = (Vec::with_capacity(digits.len() * 5 / 8), 0u64, 0);
    for byte in digits.bytes() {
        let digit = BASE32.iter().position(|digit| *digit == byte.to_ascii_uppercase()).ok_or_else(invalid)?;
        bits = bits << 5 | digit as u64;
        bit_count += 5;
        if bit_count >= 8 {
            bit_count -= 8;
            bytes.push((bits >> bit_count) as u8);
            bits &= (1 << bit_count) - 1;
        }
    }
    // The remaining bits must be fewer than 5 and zero.
    let padded = text.len() == digits.len() || text.len().is_multiple_of(8);
    if !padded || bit_count >= 5 || bits != 0 { Err(invalid()) } else { Ok(bytes) }
}
