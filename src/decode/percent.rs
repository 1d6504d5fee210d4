//! Percent-encoding, as of a URL's path: `%` and two hexadecimal digits are a byte.

use std::borrow::Cow;

/// The bytes of a text. A `%` without two digits stays, as in the URL standard.
pub fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let mut byte = [0];
        match after.get(..2).map(|digits| hex::decode_to_slice(digits, &mut byte)) {
            Some(Ok(())) if *first == b'%' => {
                bytes.push(byte[0]);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Cow::Owned(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_percent_sign_with_two_digits_is_decoded() {
        for (text, decoded) in [
            ("/p", "/p"),
            ("/a%20b", "/a b"),
            ("%C3%B6%c3%b6", "öö"),
            ("%", "%"),
            ("%2", "%2"),
            ("%zz%41", "%zzA"),
            ("%2541", "%41"),
            ("ö%", "ö%"),
        ] {
            assert_eq!(*decode(text), *decoded.as_bytes(), "{text}");
        }
    }
}
