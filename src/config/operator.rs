//! The settings of the commands that get things back or make them gone: the service's own, and where else to look.

use clap::Args;

use super::endpoints::EndpointArgs;
use super::{Config, Problems, ServeArgs, parse_address};
use crate::google::{Endpoints, TokenError, Tokens};

/// Where the tables are, and how entries become rows.
#[derive(Debug, Clone, Args)]
#[command(
    mut_arg("port", |arg| arg.hide(true)),
    mut_arg("push_deadline", |arg| arg.hide(true)),
    mut_arg("max_in_flight", |arg| arg.hide(true)),
)]
pub struct OperatorArgs {
    #[command(flatten)]
    endpoints: EndpointArgs,
    /// Another Cloud Storage, as http://127.0.0.1:4443; asks for no credentials
    #[arg(long, env, value_name = "URL", help_heading = "For tests")]
    storage_emulator_host: Option<String>,
    /// Another Pub/Sub, as 127.0.0.1:8085; asks for no credentials
    #[arg(long, env, value_name = "HOST:PORT", help_heading = "For tests")]
    pubsub_emulator_host: Option<String>,
    #[command(flatten, next_help_heading = "What the service is told")]
    pub serve: ServeArgs,
}

/// The same, all of them valid.
#[derive(Debug, Clone)]
pub struct Operator {
    pub service: Config,
    pub endpoints: Endpoints,
    pub storage_emulator: bool,
    /// Its URL.
    pub pubsub_emulator: Option<String>,
    access_token_file: Option<std::path::PathBuf>,
}

impl OperatorArgs {
    /// Whether the tables are those of an emulator.
    pub fn is_local(&self) -> bool {
        self.serve.is_local()
    }

    /// Every setting, checked.
    pub async fn load(&self) -> Result<Operator, Problems> {
        let mut problems = Problems::default();
        let service = match self.serve.load().await {
            Ok(config) => Some(config),
            Err(Problems(more)) => {
                problems.0.extend(more);
                None
            }
        };
        let mut emulator = |name: &str, given: &Option<String>| {
            let given = given.as_deref().map(str::trim).filter(|host| !host.is_empty())?;
            problems.check(name, parse_address(given))
        };
        let storage = emulator("STORAGE_EMULATOR_HOST", &self.storage_emulator_host);
        let pubsub_emulator = emulator("PUBSUB_EMULATOR_HOST", &self.pubsub_emulator_host);
        let address = service.as_ref().map(|service| service.location.endpoint.as_str());
        // No region: nothing that is asked here is regional.
        let endpoints = self.endpoints.read(address, "", &mut problems);
        let operator = (|| {
            let (service, mut endpoints) = (service?, endpoints?);
            if let Some(host) = &storage {
                endpoints.storage = format!("{host}/storage/v1");
            }
            let access_token_file = self.endpoints.access_token_file.clone().filter(|file| !file.as_os_str().is_empty());
            Some(Operator { service, endpoints, storage_emulator: storage.is_some(), pubsub_emulator, access_token_file })
        })();
        problems.or(operator)
    }
}

impl Operator {
    /// Tokens for BigQuery.
    pub async fn tokens(&self) -> Result<Tokens, TokenError> {
        self.tokens_unless(self.service.emulator).await
    }

    /// Tokens for Cloud Storage.
    pub async fn storage_tokens(&self) -> Result<Tokens, TokenError> {
        self.tokens_unless(self.storage_emulator).await
    }

    async fn tokens_unless(&self, is_emulator: bool) -> Result<Tokens, TokenError> {
        if is_emulator { Ok(Tokens::None) } else { Tokens::user_credentials(self.access_token_file.as_deref()).await }
    }
}
