//! A JSON web token in its compact form, `HEADER.PAYLOAD.SIGNATURE`, and its signature.
//!
//! The algorithm is RS256 because we say so, and not because the token does: one that names another
//! (`none`; HS256, whose secret would be our public key) is turned away before any key is looked for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::ack::UnauthorizedReason;

/// The parts of a token, still in base64.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'t> {
    /// HEADER.PAYLOAD, which is what is signed.
    signed: &'t str,
    header: &'t str,
    pub(crate) payload: &'t str,
    signature: &'t str,
}

/// RFC 7515 section 4.1. Members that are not read: `typ`, and all that would name a key of the sender's own.
#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    alg: Value,
    #[serde(default)]
    kid: Value,
    /// Extensions that a reader must know. We know none.
    crit: Option<IgnoredAny>,
}

/// Takes a token apart.
pub(crate) fn split(token: &str) -> Result<Parts<'_>, UnauthorizedReason> {
    let apart = || {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        (!payload.contains('.')).then_some(Parts { signed, header, payload, signature })
    };
    apart().ok_or(UnauthorizedReason::Malformed)
}

impl Parts<'_> {
    /// The id of the key that is said to have signed it.
    pub(crate) fn key_id(&self) -> Result<String, UnauthorizedReason> {
        let header: Header = read(self.header)?;
        match (header.alg.as_str(), header.kid, header.crit) {
            (Some("RS256"), Value::String(kid), None) => Ok(kid),
            (Some("RS256"), _, _) => Err(UnauthorizedReason::Malformed),
            _ => Err(UnauthorizedReason::Algorithm),
        }
    }

    pub(crate) fn is_signed_with(&self, key: &DecodingKey) -> Result<(), UnauthorizedReason> {
        match jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, Algorithm::RS256) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(UnauthorizedReason::Signature),
        }
    }
}

/// JSON in base64. What is JSON and not of that shape is missing something.
pub(crate) fn read<T: DeserializeOwned>(base64: &str) -> Result<T, UnauthorizedReason> {
    let json = URL_SAFE_NO_PAD.decode(base64).map_err(|_| UnauthorizedReason::Malformed)?;
    serde_json::from_slice(&json).map_err(|error| if error.is_data() { UnauthorizedReason::Claims } else { UnauthorizedReason::Malformed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_id(header: &str) -> Result<String, UnauthorizedReason> {
        split(&format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header))).unwrap().key_id()
    }

    #[test]
    fn a_token_has_three_parts() {
        for token in ["", "a", "a.b", "a.b.c.d", "...", "....."] {
            assert_eq!(split(token).map(|parts| parts.signed), Err(UnauthorizedReason::Malformed), "{token:?}");
        }
        assert_eq!(split("a.b.c").map(|parts| (parts.signed, parts.payload, parts.signature)), Ok(("a.b", "b", "c")));
    }

    #[test]
    fn no_algorithm_but_ours_gets_as_far_as_a_key() {
        assert_eq!(key_id(r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#), Ok("k".to_owned()));
        for alg in [r#""none""#, r#""None""#, r#""HS256""#, r#""RS512""#, r#""PS256""#, r#""rs256""#, r#"["RS256"]"#, "null", "1"] {
            assert_eq!(key_id(&format!(r#"{{"alg":{alg},"kid":"k"}}"#)), Err(UnauthorizedReason::Algorithm), "{alg}");
        }
        for header in [r#"{"alg":"RS256"}"#, r#"{"alg":"RS256","kid":1}"#, r#"{"alg":"RS256","kid":"k","crit":["b64"],"b64":false}"#] {
            assert_eq!(key_id(header), Err(UnauthorizedReason::Malformed), "{header}");
        }
    }
}
