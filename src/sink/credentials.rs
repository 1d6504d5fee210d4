//! Access tokens for BigQuery: Application Default Credentials, or none for an emulator.

use std::sync::Arc;

use async_trait::async_trait;
use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::error::BQError;
use google_cloud_auth::credentials::{AccessTokenCredentials, Builder};
use tokio::sync::RwLock;

/// Reads and writes tables; covers `insertAll` and the control plane.
const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";

/// Where access tokens come from.
#[derive(Debug, Clone)]
pub enum Tokens {
    /// An emulator asks for none.
    None,
    /// Cached, and refreshed before they expire.
    Google(Arc<RwLock<AccessTokenCredentials>>),
}

/// There is no access token to be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no access token: {0}")]
pub struct NoToken(String);

impl Tokens {
    /// Application Default Credentials: `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's, or the metadata server's.
    pub fn application_default() -> Result<Self, NoToken> {
        Ok(Self::Google(Arc::new(RwLock::new(build()?))))
    }

    /// A token, unless none is needed.
    pub async fn token(&self) -> Result<Option<String>, NoToken> {
        match self {
            Self::None => Ok(None),
            Self::Google(credentials) => Ok(Some(access_token(&*credentials.read().await).await?)),
        }
    }

    /// A token other than `rejected`, for which the cache is thrown away if it still holds that one.
    pub async fn token_instead_of(&self, rejected: Option<&str>) -> Result<Option<String>, NoToken> {
        let Self::Google(credentials) = self else { return Ok(None) };
        // Held while fetching: of many requests that were refused at once, one renews.
        let mut credentials = credentials.write().await;
        let token = access_token(&credentials).await?;
        if Some(token.as_str()) != rejected {
            return Ok(Some(token));
        }
        *credentials = build()?;
        access_token(&credentials).await.map(Some)
    }
}

fn build() -> Result<AccessTokenCredentials, NoToken> {
    Builder::default().with_scopes([SCOPE]).build_access_token_credentials().map_err(|error| NoToken(error.to_string()))
}

async fn access_token(credentials: &AccessTokenCredentials) -> Result<String, NoToken> {
    credentials.access_token().await.map(|token| token.token).map_err(|error| NoToken(error.to_string()))
}

/// Lets gcp-bigquery-client use the same cache; its own authenticators fetch a token per call.
#[async_trait]
impl Authenticator for Tokens {
    async fn access_token(&self) -> Result<String, BQError> {
        match self.token().await {
            Ok(token) => Ok(token.unwrap_or_else(|| "emulator".to_owned())),
            Err(NoToken(_)) => Err(BQError::NoToken),
        }
    }
}
