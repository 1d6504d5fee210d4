//! JSON web tokens in their compact form, `HEADER.PAYLOAD.SIGNATURE`.
//!
//! `jsonwebtoken` verifies the signature, `iss` and `aud`. The header is read here first, because it names the key. The
//! algorithm is RS256 whatever the token says: a token with another one (`none`; HS256, whose secret would be the public
//! key) is rejected before a key is looked up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::ack::UnauthorizedReason;

/// RFC 7515 section 4.1. `typ` and the members that name a key of the sender's own are ignored.
#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    alg: Value,
    #[serde(default)]
    kid: Value,
    /// Extensions that a reader must support. None is supported.
    crit: Option<IgnoredAny>,
}

/// The id of the key that the token names.
pub fn key_id(token: &str) -> Result<String, UnauthorizedReason> {
    let json = URL_SAFE_NO_PAD.decode(header(token)?).map_err(|_| UnauthorizedReason::Malformed)?;
    let header: Header = serde_json::from_slice(&json).map_err(|error| json_reason(&error))?;
    match (header.alg.as_str(), header.kid, header.crit) {
        (Some("RS256"), Value::String(kid), None) => Ok(kid),
        (Some("RS256"), _, _) => Err(UnauthorizedReason::Malformed),
        _ => Err(UnauthorizedReason::Algorithm),
    }
}

/// The claims of a token, if its signature is of that key and `validation` accepts them.
pub fn verified_claims<T: DeserializeOwned>(token: &str, key: &DecodingKey, validation: &Validation) -> Result<T, UnauthorizedReason> {
    let data = jsonwebtoken::decode(token, key, validation).map_err(|error| match error.kind() {
        ErrorKind::InvalidAlgorithm => UnauthorizedReason::Algorithm,
        ErrorKind::MissingRequiredClaim(_) | ErrorKind::InvalidClaimFormat(_) => UnauthorizedReason::Claims,
        ErrorKind::InvalidIssuer => UnauthorizedReason::Issuer,
        ErrorKind::InvalidAudience => UnauthorizedReason::Audience,
        ErrorKind::Json(error) => json_reason(error),
        ErrorKind::InvalidToken => UnauthorizedReason::Malformed,
        // Among them base64: header and payload are those of a verified signature, so the error is in the signature.
        _ => UnauthorizedReason::Signature,
    })?;
    Ok(data.claims)
}

/// The claims of a token that another party has verified.
pub fn unverified_claims<T: DeserializeOwned>(token: &str) -> Result<T, UnauthorizedReason> {
    header(token)?;
    insecure_decode_claims(token).map_err(|error| match error.kind() {
        ErrorKind::Json(error) => json_reason(error),
        _ => UnauthorizedReason::Malformed,
    })
}

/// The first of exactly three parts.
fn header(token: &str) -> Result<&str, UnauthorizedReason> {
    match token.split('.').collect::<Vec<_>>()[..] {
        [header, _, _] => Ok(header),
        _ => Err(UnauthorizedReason::Malformed),
    }
}

/// JSON of another shape lacks a member. Other text is not JSON.
fn json_reason(error: &serde_json::Error) -> UnauthorizedReason {
    if error.is_data() { UnauthorizedReason::Claims } else { UnauthorizedReason::Malformed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_id(header: &str) -> Result<String, UnauthorizedReason> {
        super::key_id(&format!("{}.e30.AA", URL_SAFE_NO_PAD.encode(header)))
    }

    #[test]
    fn a_token_has_three_parts() {
        for token in ["", "a", "a.b", "a.b.c.d", "...", "....."] {
            assert_eq!(header(token), Err(UnauthorizedReason::Malformed), "{token:?}");
            assert_eq!(unverified_claims::<Value>(token), Err(UnauthorizedReason::Malformed), "{token:?}");
        }
        assert_eq!(header("a.b.c"), Ok("a"));
        assert_eq!(unverified_claims::<Value>("a.e30.c"), Ok(serde_json::json!({})));
    }

    #[test]
    fn other_algorithms_are_rejected_before_the_key() {
        assert_eq!(key_id(r#"{"alg":"RS256","kid":"k","typ":"JWT"}"#), Ok("k".to_owned()));
        for alg in [r#""none""#, r#""None""#, r#""HS256""#, r#""RS512""#, r#""PS256""#, r#""rs256""#, r#"["RS256"]"#, "null", "1"] {
            assert_eq!(key_id(&format!(r#"{{"alg":{alg},"kid":"k"}}"#)), Err(UnauthorizedReason::Algorithm), "{alg}");
        }
        for header in [r#"{"alg":"RS256"}"#, r#"{"alg":"RS256","kid":1}"#, r#"{"alg":"RS256","kid":"k","crit":["b64"],"b64":false}"#] {
            assert_eq!(key_id(header), Err(UnauthorizedReason::Malformed), "{header}");
        }
    }
}
