//! Access tokens for Google's APIs: Application Default Credentials, those of a command's user, or none for an
//! emulator.
//!
//! Google's library refreshes a token before it expires. This file renews a token that an API rejects.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::error::BQError;
use google_cloud_auth::credentials::{AccessTokenCredentials, Builder, CacheableResource, CredentialsProvider as _};
use tokio::sync::{RwLock, RwLockWriteGuard};
use tokio::time::Instant;

/// Reads and writes tables; covers `insertAll` and the control plane.
const BIGQUERY: &str = "https://www.googleapis.com/auth/bigquery";
/// Everything that the user is permitted.
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
/// A metadata server answers in milliseconds. Without one, the DNS lookup of its name may take long.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Minimum time between two attempts to get a token, after a failed one.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// A source of access tokens.
#[derive(Debug, Clone)]
pub enum Tokens {
    /// For an emulator, which requires no token.
    None,
    /// From a file or gcloud. Read again when it is rejected: a command may run for longer than a token is valid.
    Static { source: TokenSource, token: Arc<RwLock<String>> },
    /// Cached, and refreshed before they expire.
    Google { source: Arc<dyn CredentialsSource>, cache: Arc<RwLock<Cache>> },
}

/// Makes the credentials that tokens come from, as often as those are dropped.
pub trait CredentialsSource: std::fmt::Debug + Send + Sync {
    fn credentials(&self) -> Result<AccessTokenCredentials, TokenError>;
}

/// Application Default Credentials.
#[derive(Debug)]
struct ApplicationDefault {
    scope: &'static str,
}

/// Google's library with its cache: a token, or the failure to get one. It keeps a failure for ten seconds, and one that
/// it considers permanent (a 404 of the metadata server) for ever.
#[derive(Debug)]
pub struct Cache {
    credentials: AccessTokenCredentials,
    made: Instant,
}

/// The source of a command's token.
#[derive(Debug, Clone)]
pub enum TokenSource {
    /// The content of a file.
    File(Arc<Path>),
    /// The account that gcloud is logged in as.
    Gcloud,
}

/// Why an access token cannot be obtained.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot get an access token: {0}")]
pub struct TokenError(String);

impl TokenError {
    pub(crate) fn timeout() -> Self {
        Self("no answer in time".to_owned())
    }
}

impl Tokens {
    /// Application Default Credentials, or none for an emulator.
    pub fn new(is_emulator: bool) -> Result<Self, TokenError> {
        if is_emulator { Ok(Self::None) } else { Self::application_default() }
    }

    /// Application Default Credentials: `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's, or the metadata server's.
    fn application_default() -> Result<Self, TokenError> {
        Self::with_scope(BIGQUERY)
    }

    /// The credentials of a command's user: the token in gcloud's CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, else Application
    /// Default Credentials, else those of gcloud's account. For every API.
    pub async fn user_credentials(token_file: Option<&Path>) -> Result<Self, TokenError> {
        if let Some(file) = token_file {
            return Self::read_from(TokenSource::File(file.into())).await;
        }
        let default = match Self::with_scope(CLOUD_PLATFORM) {
            Ok(tokens) => match tokio::time::timeout(FETCH_TIMEOUT, tokens.token()).await {
                Ok(Ok(_)) => return Ok(tokens),
                Ok(Err(error)) => error,
                Err(_) => TokenError::timeout(),
            },
            Err(error) => error,
        };
        let unavailable = |_| TokenError(format!("run `gcloud auth application-default login` ({})", default.0));
        Self::read_from(TokenSource::Gcloud).await.map_err(unavailable)
    }

    async fn read_from(source: TokenSource) -> Result<Self, TokenError> {
        let token = Arc::new(RwLock::new(source.token().await?));
        Ok(Self::Static { source, token })
    }

    fn with_scope(scope: &'static str) -> Result<Self, TokenError> {
        Self::from_source(Arc::new(ApplicationDefault { scope }))
    }

    /// Tokens of these credentials, cached and refreshed by them.
    pub fn from_source(source: Arc<dyn CredentialsSource>) -> Result<Self, TokenError> {
        let cache = Arc::new(RwLock::new(Cache::new(&*source)?));
        Ok(Self::Google { source, cache })
    }

    /// The project that pays for requests, where the user's credentials name one. Some APIs refuse a user's requests
    /// without it.
    pub async fn quota_project(&self) -> Option<String> {
        let Self::Google { cache, .. } = self else { return None };
        match cache.read().await.credentials.headers(axum::http::Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => data.get("x-goog-user-project")?.to_str().ok().map(str::to_owned),
            Ok(CacheableResource::NotModified) | Err(_) => None,
        }
    }

    /// A token; `None` for an emulator.
    pub async fn token(&self) -> Result<Option<String>, TokenError> {
        match self {
            Self::None => Ok(None),
            Self::Static { token, .. } => Ok(Some(token.read().await.clone())),
            Self::Google { source, cache } => {
                let (token, made) = {
                    let cache = cache.read().await;
                    (cache.token().await, cache.made)
                };
                if token.is_ok() || made.elapsed() < MIN_REFRESH_INTERVAL {
                    return token.map(Some);
                }
                // The failure may have been transient.
                let mut cache = cache.write().await;
                if cache.made == made {
                    *cache = Cache::new(&**source)?;
                }
                // Callers that come now wait for the same token.
                RwLockWriteGuard::downgrade(cache).token().await.map(Some)
            }
        }
    }

    /// A token other than `rejected`. Drops the cache if it still holds that one.
    pub async fn token_instead_of(&self, rejected: Option<&str>) -> Result<Option<String>, TokenError> {
        // Held while fetching: if many requests are rejected at once, one renews the token.
        match self {
            Self::None => Ok(None),
            Self::Static { source, token } => {
                let mut token = token.write().await;
                if Some(token.as_str()) == rejected {
                    *token = source.token().await?;
                }
                Ok(Some(token.clone()))
            }
            Self::Google { source, cache } => {
                let mut cache = cache.write().await;
                let token = cache.token().await?;
                if Some(token.as_str()) != rejected {
                    return Ok(Some(token));
                }
                *cache = Cache::new(&**source)?;
                cache.token().await.map(Some)
            }
        }
    }
}

impl CredentialsSource for ApplicationDefault {
    fn credentials(&self) -> Result<AccessTokenCredentials, TokenError> {
        let credentials = Builder::default().with_scopes([self.scope]).build_access_token_credentials();
        credentials.map_err(|error| TokenError(error.to_string()))
    }
}

impl TokenSource {
    async fn token(&self) -> Result<String, TokenError> {
        match self {
            Self::File(file) => {
                let failed = |error| TokenError(format!("cannot read {} (CLOUDSDK_AUTH_ACCESS_TOKEN_FILE): {error}", file.display()));
                std::fs::read_to_string(file).map(|token| token.trim().to_owned()).map_err(failed)
            }
            Self::Gcloud => {
                // It takes a second.
                let printed = tokio::task::spawn_blocking(|| gcloud(&["auth", "print-access-token"])).await;
                printed.ok().flatten().ok_or_else(|| TokenError("gcloud is not logged in, or not installed".to_owned()))
            }
        }
    }
}

impl Cache {
    fn new(source: &dyn CredentialsSource) -> Result<Self, TokenError> {
        Ok(Self { credentials: source.credentials()?, made: Instant::now() })
    }

    async fn token(&self) -> Result<String, TokenError> {
        self.credentials.access_token().await.map(|token| token.token).map_err(|error| TokenError(error.to_string()))
    }
}

/// What gcloud prints; `None` if it fails or prints nothing. It does not prompt.
pub(crate) fn gcloud(args: &[&str]) -> Option<String> {
    let output = Command::new("gcloud").args(args).arg("--quiet").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

/// For gcp-bigquery-client. Its authenticators would fetch a token per call.
#[async_trait]
impl Authenticator for Tokens {
    async fn access_token(&self) -> Result<String, BQError> {
        match self.token().await {
            Ok(token) => Ok(token.unwrap_or_else(|| "emulator".to_owned())),
            Err(TokenError(_)) => Err(BQError::NoToken),
        }
    }
}
