//! FORMAT clause of casts between BYTES and STRING: `HEX`, `BASE64`, `ASCII`.

use std::str::FromStr;

use super::super::super::function_error::FunctionError;
use super::super::super::text::base;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Hex,
    Base32,
    Base64,
    Ascii,
    Utf8,
}

impl FromStr for Encoding {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Encoding, FunctionError> {
        Ok(match text.to_ascii_uppercase().as_str() {
            "HEX" | "BASE16" => Encoding::Hex,
            "BASE32" => Encoding::Base32,
            "BASE64" => Encoding::Base64,
            "ASCII" => Encoding::Ascii,
            "UTF-8" | "UTF8" => Encoding::Utf8,
            "BASE2" | "BASE8" | "BASE64M" => {
                return Err(FunctionError::new(format!("The BigQuery emulator does not support the format '{text}'")));
            }
            _ => return Err(FunctionError::new(format!("Invalid format: '{text}'"))),
        })
    }
}

impl Encoding {
    pub(crate) fn encode(self, bytes: &[u8]) -> Result<String, FunctionError> {
        match self {
            Encoding::Hex => Ok(base::to_hex(bytes)),
            Encoding::Base32 => Ok(base::to_base32(bytes)),
            Encoding::Base64 => Ok(base::to_base64(bytes)),
            Encoding::Ascii if !bytes.is_ascii() => Err(FunctionError::new("Invalid ASCII value: it has bytes above 127")),
            Encoding::Ascii | Encoding::Utf8 => {
                String::from_utf8(bytes.to_vec()).map_err(|_| FunctionError::new("Invalid cast of bytes to UTF8 string"))
            }
        }
    }

    pub(crate) fn decode(self, text: &str) -> Result<Vec<u8>, FunctionError> {
        match self {
            Encoding::Hex => base::from_hex(text),
            Encoding::Base32 => base::from_base32(text),
            Encoding::Base64 => base::from_base64(text),
            Encoding::Ascii if !text.is_ascii() => Err(FunctionError::new("Invalid ASCII value: it has characters above 127")),
            Encoding::Ascii | Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        }
    }
}
