//! PUSH_AUTH=oidc: a token from first to last.

use jiff::Timestamp;
use tokio::time::Instant;

use super::claims::Claims;
use super::jwks::{Keys, NoKey};
use super::jwt;
use super::verified::{Fingerprint, Verified};
use crate::ack::{Outcome, RetryReason, UnauthorizedReason};

/// Knows whose tokens are good, and which were.
#[derive(Debug)]
pub struct Verifier {
    audience: String,
    account: String,
    keys: Keys,
    verified: Verified,
}

impl Verifier {
    pub(crate) fn new(audience: String, account: String, keys: Keys) -> Self {
        Self { audience, account, keys, verified: Verified::default() }
    }

    pub(crate) async fn verify(&self, token: &str, now: Timestamp, deadline: Instant) -> Result<(), Outcome> {
        let fingerprint = Fingerprint::of(token);
        if self.verified.holds(fingerprint, now) {
            return Ok(());
        }
        let parts = jwt::split(token).map_err(Outcome::Unauthorized)?;
        let key_id = parts.key_id().map_err(Outcome::Unauthorized)?;
        let key = self.keys.key(&key_id, deadline).await.map_err(|no_key| match no_key {
            NoKey::Unknown => Outcome::Unauthorized(UnauthorizedReason::UnknownKey),
            NoKey::Unavailable => Outcome::Retry(RetryReason::NoKeys),
        })?;
        // Nothing that it says counts before this.
        parts.is_signed_with(&key).map_err(Outcome::Unauthorized)?;
        let expires = self.check(parts.payload, now).map_err(Outcome::Unauthorized)?;
        self.verified.insert(fingerprint, expires, now);
        Ok(())
    }

    /// The account comes last: 403 is for who is known, and in the right place.
    fn check(&self, payload: &str, now: Timestamp) -> Result<f64, UnauthorizedReason> {
        let claims = Claims::read(payload)?;
        let expires = claims.is_valid(now)?;
        claims.is_for(&self.audience)?;
        claims.is_of(&self.account)?;
        Ok(expires)
    }
}
