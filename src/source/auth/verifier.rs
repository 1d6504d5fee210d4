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
    pub(crate) fn new(audience: &str, account: String, keys: Keys) -> Self {
        Self { validation: validation(audience), account, keys, verified: Verified::default() }
    }

    pub(crate) async fn verify(&self, token: &str, now: Timestamp, deadline: Instant) -> Result<(), Outcome> {
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

    /// The account is checked last: 403 is the answer to a token that is valid in all other respects.
    fn check(&self, token: &str, key: &DecodingKey, now: Timestamp) -> Result<f64, UnauthorizedReason> {
        let claims: Claims = jwt::verified_claims(token, key, &self.validation)?;
        claims.check_types()?;
        let expires = claims.check_times(now)?;
        claims.check_account(&self.account)?;
        Ok(expires)
    }
}
