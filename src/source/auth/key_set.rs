//! Reads a JWK set (RFC 7517): Google's public keys by their ids. [`super::key_cache`] keeps the latest one.

use std::collections::HashMap;
use std::sync::Arc;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Keys by their ids.
#[derive(Debug, Clone, Default)]
pub struct KeySet(HashMap<String, Arc<DecodingKey>>);

/// An answer without keys.
#[derive(Debug, thiserror::Error)]
pub enum NoKeySet {
    #[error("the answer is not a JWK set: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the JWK set has no RSA key for signatures")]
    Empty,
}

/// RFC 7517 section 5.
#[derive(Deserialize)]
struct WireSet<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// RFC 7517 section 4, RFC 7518 section 6.3.1. An RSA key. Keys of other kinds lack members.
#[derive(Deserialize)]
struct WireKey {
    kty: String,
    kid: String,
    n: String,
    e: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
}

impl KeySet {
    /// Reads a JWK set. Keys for other algorithms are ignored.
    pub fn read(json: &[u8]) -> Result<Self, NoKeySet> {
        let set: WireSet<'_> = serde_json::from_slice(json)?;
        let keys = set.keys.into_iter().filter_map(|key| read_key(key.get()));
        let keys: HashMap<_, _> = keys.collect();
        if keys.is_empty() { Err(NoKeySet::Empty) } else { Ok(Self(keys)) }
    }

    /// The key of that id.
    pub fn get(&self, id: &str) -> Option<Arc<DecodingKey>> {
        self.0.get(id).map(Arc::clone)
    }
}

fn read_key(json: &str) -> Option<(String, Arc<DecodingKey>)> {
    let key: WireKey = serde_json::from_str(json).ok()?;
    let is_rs256 = key.kty == "RSA" && key.alg.is_none_or(|alg| alg == "RS256") && key.purpose.is_none_or(|purpose| purpose == "sig");
    let decoding = is_rs256.then(|| DecodingKey::from_rsa_components(&key.n, &key.e).ok())??;
    Some((key.kid, Arc::new(decoding)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Google can add keys of other kinds at any time.
    #[test]
    fn keys_of_other_kinds_are_ignored() {
        let others = [
            r#"{"kty":"EC","kid":"ec","crv":"P-256","x":"AA","y":"AA"}"#,
            r#"{"kty":"oct","kid":"oct","k":"AA"}"#,
            r#"{"kty":"RSA","kid":"enc","n":"AQAB","e":"AQAB","use":"enc"}"#,
            r#"{"kty":"RSA","kid":"rs512","n":"AQAB","e":"AQAB","alg":"RS512"}"#,
            r#"{"kty":"RSA","kid":"broken","n":"%","e":"AQAB"}"#,
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
            "1",
        ];
        let key = r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB","alg":"RS256","use":"sig"}"#;
        let keys = KeySet::read(format!(r#"{{"keys":[{},{key}]}}"#, others.join(",")).as_bytes()).unwrap();
        assert_eq!(keys.0.keys().collect::<Vec<_>>(), ["a"]);
        assert!(matches!(KeySet::read(format!(r#"{{"keys":[{}]}}"#, others.join(",")).as_bytes()), Err(NoKeySet::Empty)));
        for json in ["", "<html>", "{}", r#"{"keys":{}}"#, "[]"] {
            assert!(matches!(KeySet::read(json.as_bytes()), Err(NoKeySet::Json(_))), "{json}");
        }
    }
}
