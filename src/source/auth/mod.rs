//! Push authentication: checks a request's token before it counts as a delivery in flight and before its body is read.
//!
//! | PUSH_AUTH | checked before | checked here |
//! |---|---|---|
//! | `iam` | the whole token, by Cloud Run, which replaces the signature by `SIGNATURE_REMOVED_BY_GOOGLE` | PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT, if set |
//! | `oidc` | nothing | signature, `exp`, `iat`, `nbf`, `iss`, `aud`, `email` and `email_verified` |
//! | `none` | nothing | nothing |
//!
//! A missing or invalid token is answered 401, and a valid token of another account 403, as in RFC 6750
//! and by Google's own front ends. The answers do not contain the reason; log and metrics do.
//!
//! The token: <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>.

mod bearer;
mod claims;
mod jwks;
mod jwt;
mod key_cache;
mod key_set;
mod verified;
mod verifier;

use axum::http::HeaderMap;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::ack::{Outcome, UnauthorizedReason};
use bearer::{CheckedBy, bearer};
use claims::Claims;
use verifier::Verifier;

pub use crate::config::PushAuth;
pub use jwks::KeyFetcher;

/// Admits or rejects requests.
#[derive(Debug)]
pub enum Gate {
    Iam { audience: Option<String>, account: Option<String> },
    Oidc(Box<Verifier>),
    Open,
}

impl Gate {
    /// The gate, and with `oidc` the task that fetches its keys.
    pub fn new(settings: PushAuth) -> Result<(Self, Option<KeyFetcher>), reqwest::Error> {
        match settings {
            PushAuth::Iam { audience, account } => Ok((Self::Iam { audience, account }, None)),
            PushAuth::None => Ok((Self::Open, None)),
            PushAuth::Oidc { audience, account, jwks_url } => {
                let (fetcher, keys) = KeyFetcher::new(jwks_url)?;
                Ok((Self::Oidc(Box::new(Verifier::new(&audience, account, keys))), Some(fetcher)))
            }
        }
    }

    /// How many requests wait for the key of their token.
    pub fn waiting(&self) -> usize {
        match self {
            Self::Open | Self::Iam { .. } => 0,
            Self::Oidc(verifier) => verifier.waiting(),
        }
    }

    /// Admits a request with these headers. `Err` is the outcome of a rejected request.
    pub async fn admit(&self, headers: &HeaderMap, now: Timestamp, deadline: Instant) -> Result<(), Outcome> {
        match self {
            Self::Open | Self::Iam { audience: None, account: None } => Ok(()),
            Self::Iam { audience, account } => by_claims(headers, audience.as_deref(), account.as_deref()).map_err(Outcome::Unauthorized),
            Self::Oidc(verifier) => {
                let token = bearer(headers, CheckedBy::Us).map_err(Outcome::Unauthorized)?;
                verifier.verify(token, now, deadline).await
            }
        }
    }
}

/// Cloud Run has checked signature, `exp` and `iss`, by its own clock.
fn by_claims(headers: &HeaderMap, audience: Option<&str>, account: Option<&str>) -> Result<(), UnauthorizedReason> {
    let token = bearer(headers, CheckedBy::CloudRun)?;
    let claims: Claims = jwt::unverified_claims(token)?;
    if let Some(audience) = audience {
        claims.check_audience(audience)?;
    }
    if let Some(account) = account {
        claims.check_account(account)?;
    }
    Ok(())
}
