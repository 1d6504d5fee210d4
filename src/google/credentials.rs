//! Access tokens for Google's APIs: Application Default Credentials, those of whoever runs a command, or
//! none for an emulator.

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
/// Everything that the caller may do.
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
/// A metadata server answers in milliseconds, and the name of one that is not there may take long to look up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Shortest time between two looks for a token, where there was none.
const COOL_DOWN: Duration = Duration::from_secs(1);

/// Where access tokens come from.
#[derive(Debug, Clone)]
pub enum Tokens {
    /// An emulator asks for none.
    None,
    /// As somebody else made it, and asked for again when it is refused: a command may outlast its hour.
    Given { by: Giver, token: Arc<RwLock<String>> },
    /// Cached, and refreshed before they expire.
    Google { scope: &'static str, cache: Arc<RwLock<Cache>> },
}

/// Google's library, with what it keeps: a token, or the failure to get one. The latter it keeps for ten seconds, and
/// for good where it takes it for lasting, as a 404 of the metadata server.
#[derive(Debug)]
pub struct Cache {
    credentials: AccessTokenCredentials,
    made: Instant,
}

/// Who makes a token for a command.
#[derive(Debug, Clone)]
pub enum Giver {
    /// What is in the file.
    File(Arc<Path>),
    /// Whom gcloud is logged in as.
    Gcloud,
}

/// There is no access token to be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no access token: {0}")]
pub struct NoToken(String);

impl Tokens {
    /// Application Default Credentials: `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's, or the metadata server's.
    pub fn application_default() -> Result<Self, NoToken> {
        Self::of_scope(BIGQUERY)
    }

    /// Whoever runs a command: the token in gcloud's CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, else Application Default
    /// Credentials, else whom gcloud is logged in as. Good for every API.
    pub async fn of_the_caller(token_file: Option<&Path>) -> Result<Self, NoToken> {
        if let Some(file) = token_file {
            return Self::given(Giver::File(file.into())).await;
        }
        let default = match Self::of_scope(CLOUD_PLATFORM) {
            Ok(tokens) => match tokio::time::timeout(PATIENCE, tokens.token()).await {
                Ok(Ok(_)) => return Ok(tokens),
                Ok(Err(error)) => error,
                Err(_) => NoToken("no answer in time".to_owned()),
            },
            Err(error) => error,
        };
        let nobody = |_| NoToken(format!("run `gcloud auth application-default login` ({})", default.0));
        Self::given(Giver::Gcloud).await.map_err(nobody)
    }

    async fn given(by: Giver) -> Result<Self, NoToken> {
        let token = Arc::new(RwLock::new(by.token().await?));
        Ok(Self::Given { by, token })
    }

    fn of_scope(scope: &'static str) -> Result<Self, NoToken> {
        Ok(Self::Google { scope, cache: Arc::new(RwLock::new(Cache::new(scope)?)) })
    }

    /// The project that pays for the requests of a person's credentials, where they name one. Some APIs refuse
    /// such requests without.
    pub async fn quota_project(&self) -> Option<String> {
        let Self::Google { cache, .. } = self else { return None };
        match cache.read().await.credentials.headers(axum::http::Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => data.get("x-goog-user-project")?.to_str().ok().map(str::to_owned),
            Ok(CacheableResource::NotModified) | Err(_) => None,
        }
    }

    /// A token, unless none is needed.
    pub async fn token(&self) -> Result<Option<String>, NoToken> {
        match self {
            Self::None => Ok(None),
            Self::Given { token, .. } => Ok(Some(token.read().await.clone())),
            Self::Google { scope, cache } => {
                let (token, made) = {
                    let cache = cache.read().await;
                    (cache.token().await, cache.made)
                };
                if token.is_ok() || made.elapsed() < COOL_DOWN {
                    return token.map(Some);
                }
                // Whatever was wrong may be over.
                let mut cache = cache.write().await;
                if cache.made == made {
                    *cache = Cache::new(scope)?;
                }
                // Who comes now waits for the same token.
                RwLockWriteGuard::downgrade(cache).token().await.map(Some)
            }
        }
    }

    /// A token other than `rejected`, for which the cache is thrown away if it still holds that one.
    pub async fn token_instead_of(&self, rejected: Option<&str>) -> Result<Option<String>, NoToken> {
        // Held while fetching: of many requests that were refused at once, one renews.
        match self {
            Self::None => Ok(None),
            Self::Given { by, token } => {
                let mut token = token.write().await;
                if Some(token.as_str()) == rejected {
                    *token = by.token().await?;
                }
                Ok(Some(token.clone()))
            }
            Self::Google { scope, cache } => {
                let mut cache = cache.write().await;
                let token = cache.token().await?;
                if Some(token.as_str()) != rejected {
                    return Ok(Some(token));
                }
                *cache = Cache::new(scope)?;
                cache.token().await.map(Some)
            }
        }
    }
}

impl Giver {
    async fn token(&self) -> Result<String, NoToken> {
        match self {
            Self::File(file) => {
                let failed = |error| NoToken(format!("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE names {}: {error}", file.display()));
                std::fs::read_to_string(file).map(|token| token.trim().to_owned()).map_err(failed)
            }
            Self::Gcloud => {
                // Takes a second.
                let printed = tokio::task::spawn_blocking(|| gcloud(&["auth", "print-access-token"])).await;
                printed.ok().flatten().ok_or_else(|| NoToken("gcloud has none".to_owned()))
            }
        }
    }
}

impl Cache {
    fn new(scope: &str) -> Result<Self, NoToken> {
        let credentials = Builder::default().with_scopes([scope]).build_access_token_credentials();
        Ok(Self { credentials: credentials.map_err(|error| NoToken(error.to_string()))?, made: Instant::now() })
    }

    async fn token(&self) -> Result<String, NoToken> {
        self.credentials.access_token().await.map(|token| token.token).map_err(|error| NoToken(error.to_string()))
    }
}

/// What gcloud prints, if there is a gcloud and it has something to say. It asks nothing.
pub(crate) fn gcloud(args: &[&str]) -> Option<String> {
    let output = Command::new("gcloud").args(args).arg("--quiet").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
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
