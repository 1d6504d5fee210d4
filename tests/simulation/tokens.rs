//! The simulated source of access tokens.

use std::sync::{Arc, Mutex};

use axum::http::{Extensions, HeaderMap};
use google_cloud_auth::credentials::{
    AccessToken, AccessTokenCredentials, AccessTokenCredentialsProvider, CacheableResource, CredentialsProvider, EntityTag,
};
use google_cloud_auth::errors::CredentialsError;
use pixel_pipeline::google::{CredentialsSource, TokenError};

use crate::faults::{FaultKind, Target};
use crate::world::World;

/// Makes credentials for one instance.
#[derive(Debug)]
pub struct TokenServer(pub Arc<World>);

/// Credentials with a token that is fetched once, as Google's library does. A failure is kept, too.
#[derive(Debug)]
struct Credentials {
    world: Arc<World>,
    fetched: Mutex<Option<Result<u64, ()>>>,
}

impl CredentialsSource for TokenServer {
    fn credentials(&self) -> Result<AccessTokenCredentials, TokenError> {
        Ok(Credentials { world: Arc::clone(&self.0), fetched: Mutex::default() }.into())
    }
}

impl CredentialsProvider for Credentials {
    async fn headers(&self, _: Extensions) -> Result<CacheableResource<HeaderMap>, CredentialsError> {
        Ok(CacheableResource::New { entity_tag: EntityTag::new(), data: HeaderMap::new() })
    }

    async fn universe_domain(&self) -> Option<String> {
        None
    }
}

impl AccessTokenCredentialsProvider for Credentials {
    async fn access_token(&self) -> Result<AccessToken, CredentialsError> {
        let known = *self.fetched.lock().unwrap();
        let fetched = match known {
            Some(fetched) => fetched,
            None => {
                let fault = self.world.roll(|target| target == Target::Tokens);
                match fault {
                    None => {}
                    Some(FaultKind::Slow { millis }) => self.world.sleep(millis).await,
                    Some(FaultKind::Hang { .. }) => std::future::pending().await,
                    Some(_) => self.world.sleep(5).await,
                }
                let is_failed = fault.is_some_and(|kind| !matches!(kind, FaultKind::Slow { .. }));
                let fetched = if is_failed { Err(()) } else { Ok(self.world.bigquery().issue_token()) };
                *self.fetched.lock().unwrap().get_or_insert(fetched)
            }
        };
        match fetched {
            Ok(token) => Ok(AccessToken { token: format!("t{token}") }),
            Err(()) => Err(CredentialsError::from_msg(true, "simulated")),
        }
    }
}
