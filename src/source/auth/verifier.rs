//! PUSH_AUTH=oidc: the whole check of a token.

use jiff::Timestamp;
use jsonwebtoken::{DecodingKey, Validation};
use tokio::time::Instant;

use super::claims::{Claims, validation};
use super::jwks::{Keys, NoKey};
use super::jwt;
use super::verified::{Fingerprint, Verified};
use crate::ack::{Outcome, RetryReason, UnauthorizedReason};

/// Checks tokens, and remembers the valid ones.
#[derive(Debug)]
pub struct Verifier {
    validation: Validation,
    account: String,
    keys: Keys,
    verified: Verified,
}

impl Verifier {
    pub fn new(audience: &str, account: String, keys: Keys) -> Self {
        Self { validation: validation(audience), account, keys, verified: Verified::default() }
    }

    pub async fn verify(&self, token: &str, now: Timestamp, deadline: Instant) -> Result<(), Outcome> {
        let fingerprint = Fingerprint::of(token);
        if self.verified.holds(fingerprint, now) {
            return Ok(());
        }
        let key_id = jwt::key_id(token).map_err(Outcome::Unauthorized)?;
        let key = self.keys.key(&key_id, deadline).await.map_err(|no_key| match no_key {
            NoKey::Unknown => Outcome::Unauthorized(UnauthorizedReason::UnknownKey),
            NoKey::Unavailable => Outcome::Retry(RetryReason::NoKeys),
        })?;
        let expires = self.check(token, &key, now).map_err(Outcome::Unauthorized)?;
        self.verified.insert(fingerprint, expires, now);
        Ok(())
    }

    /// How many requests wait for a key.
    pub fn waiting(&self) -> usize {
        self.keys.waiting()
    }

    /// The account is checked last: 403 is the answer to a token that is valid in all other respects.
    fn check(&self, token: &str, key: &DecodingKey, now: Timestamp) -> Result<f64, UnauthorizedReason> {
        let claims: Claims = jwt::verified_claims(token, key, &self.validation)?;
        claims.check_types()?;
        let expires = claims.check_times(now)?;
        claims.check_account(&self.account)?;
        Ok(expires)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use jsonwebtoken::jwk::Jwk;
    use jsonwebtoken::{Algorithm, EncodingKey, Header};
    use serde_json::{Value, json};

    use super::super::jwks::KeyFetcher;
    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// The result for a token with one claim replaced. Its signature is valid.
    fn check_with(claim: &str, value: Value) -> Result<f64, UnauthorizedReason> {
        let pem = include_str!("../../../tests/fixtures/auth/first.pem");
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let key = EncodingKey::from_rsa_der(&STANDARD.decode(base64).unwrap());
        let public_key = DecodingKey::from_jwk(&Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap()).unwrap();
        let mut claims = json!({
            "iss": "https://accounts.google.com", "aud": "a", "email": "e", "email_verified": true, "exp": NOW + 60, "iat": NOW,
        });
        claims[claim] = value;
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap();
        let (_, keys) = KeyFetcher::new("http://127.0.0.1:9/".to_owned()).unwrap();
        Verifier::new("a", "e".to_owned(), keys).check(&token, &public_key, Timestamp::from_second(NOW).unwrap())
    }

    #[test]
    fn only_tokens_of_googles_issuers_are_accepted() {
        for issuer in ["https://accounts.google.com", "accounts.google.com"] {
            assert_eq!(check_with("iss", json!(issuer)), Ok((NOW + 60) as f64), "{issuer}");
        }
        for issuer in ["", "google.com", "accounts.google.com/", "https://accounts.google.com.example.com", "http://accounts.google.com"] {
            assert_eq!(check_with("iss", json!(issuer)), Err(UnauthorizedReason::Issuer), "{issuer}");
        }
        for issuer in [json!(null), json!(1), json!(["https://accounts.google.com"]), json!(["https://accounts.example.com"])] {
            let result = check_with("iss", issuer.clone());
            assert!(matches!(result, Err(UnauthorizedReason::Claims | UnauthorizedReason::Issuer)), "{issuer}: {result:?}");
        }
    }

    #[test]
    fn tokens_for_another_audience_or_account_are_rejected() {
        assert_eq!(check_with("aud", json!("A")), Err(UnauthorizedReason::Audience));
        assert_eq!(check_with("aud", json!(["a"])), Err(UnauthorizedReason::Claims));
        assert_eq!(check_with("email", json!("E")), Err(UnauthorizedReason::Account));
        assert_eq!(check_with("exp", json!(NOW - 10)), Err(UnauthorizedReason::Expired));
    }
}
