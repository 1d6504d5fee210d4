//! A secret key of the operator, and its keyed hash.
//!
//! The characters of the text are the bytes of the key. Nothing is decoded, so other programs compute the same hash
//! (`openssl dgst -sha256 -hmac "$KEY"`). The minimum is 32 characters: 128 bits if they are hexadecimal digits.
//! `openssl rand -hex 32` prints 64.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// 32 to 1,024 characters of printable ASCII, without comma and space. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

/// Why a text is not a key. Does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    #[error("a key of {0} characters is too short: use 32 or more, as from `openssl rand -hex 32`")]
    TooShort(usize),
    #[error("a key of {0} characters is longer than 1024: create one with `openssl rand -hex 32`")]
    TooLong(usize),
    #[error("a key has a character that is not printable ASCII, or a space or comma: create one with `openssl rand -hex 32`")]
    BadCharacter,
}

impl Key {
    /// Reads a key. Ignores white space around it: files that contain a key end with a line break.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',') {
            return Err(BadKey::BadCharacter);
        }
        match text.len() {
            0..32 => Err(BadKey::TooShort(text.len())),
            32..=1024 => Ok(Self(text.to_owned())),
            length => Err(BadKey::TooLong(length)),
        }
    }

    /// HMAC-SHA256 (RFC 2104) of `message`, before its finalization or verification.
    pub(crate) fn hmac(&self, message: &[u8]) -> Hmac<Sha256> {
        let hmac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes());
        hmac.expect("HMAC takes a key of any length").chain_update(message)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_printable_and_hidden_from_debug() {
        let key = "0123456789abcdef0123456789ABCDEF";
        assert_eq!(Key::parse(&format!(" {key}\n")), Key::parse(key));
        assert_eq!(format!("{:?}", Key::parse(key)), "Ok(Key(not shown))");
        assert_eq!(Key::parse(""), Err(BadKey::TooShort(0)));
        assert_eq!(Key::parse(&key[1..]), Err(BadKey::TooShort(31)));
        assert_eq!(Key::parse(&key.repeat(33)), Err(BadKey::TooLong(1056)));
        for text in [format!("{key} {key}"), format!("{key},{key}"), format!("{key}é"), format!("{key}\0")] {
            let error = Key::parse(&text).unwrap_err();
            assert_eq!(error, BadKey::BadCharacter);
            assert!(!error.to_string().contains(key));
        }
    }

    /// RFC 4231's second test case, with a longer key: `printf 'what do ya want for nothing?' |
    /// openssl dgst -sha256 -hmac JefeJefeJefeJefeJefeJefeJefeJefe`.
    #[test]
    fn the_hash_is_that_of_openssl() {
        let key = Key::parse(&"Jefe".repeat(8)).unwrap();
        let hash = key.hmac(b"what do ya want for nothing?").finalize().into_bytes();
        assert_eq!(hex::encode(hash), "167f928588c5cc2eef8e3093caa0e87c9ff566a14794aa61648d81621a2a40c6");
    }
}
