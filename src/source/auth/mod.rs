//! Who may push: whether a request is Pub/Sub's, decided by its headers and before its body is read.
//!
//! | PUSH_AUTH | who has checked the token | what is looked at here |
//! |---|---|---|
//! | `iam` | Cloud Run, which put `SIGNATURE_REMOVED_BY_GOOGLE` in the place of the signature | PUSH_AUDIENCE and PUSH_SERVICE_ACCOUNT, as far as they are set |
//! | `oidc` | nobody | signature, `exp`, `iss`, `aud`, `email` and `email_verified` |
//! | `none` | nobody | nothing |
//!
//! A token that is missing or no good is answered 401, and a good one of another account 403, as RFC 6750
//! and Google's own front ends have it. Neither answer says more: which claim was wrong, only log and metrics do.
//!
//! The token: <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>.

mod bearer;
mod claims;
mod jwks;
mod jwt;
mod keys;
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

/// Lets deliveries in, or says why not.
#[derive(Debug)]
pub enum Gate {
    Iam { audience: Option<String>, account: Option<String> },
    Oidc(Verifier),
    Open,
}

impl Gate {
    /// The gate, and the task that fetches its keys if it needs any.
    pub fn new(settings: PushAuth) -> Result<(Self, Option<KeyFetcher>), reqwest::Error> {
        match settings {
            PushAuth::Iam { audience, account } => Ok((Self::Iam { audience, account }, None)),
            PushAuth::None => Ok((Self::Open, None)),
            PushAuth::Oidc { audience, account, jwks_url } => {
                let (fetcher, keys) = KeyFetcher::new(jwks_url)?;
                Ok((Self::Oidc(Verifier::new(audience, account, keys)), Some(fetcher)))
            }
        }
    }

    /// Whether a request with these headers may deliver something. `Err` is what becomes of it instead.
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

/// `exp` and `iss` are among what Cloud Run has seen to, and its clock is the one that counts.
fn by_claims(headers: &HeaderMap, audience: Option<&str>, account: Option<&str>) -> Result<(), UnauthorizedReason> {
    let token = bearer(headers, CheckedBy::CloudRun)?;
    let claims = Claims::read(jwt::split(token)?.payload)?;
    if let Some(audience) = audience {
        claims.is_for(audience)?;
    }
    if let Some(account) = account {
        claims.is_of(account)?;
    }
    Ok(())
}
