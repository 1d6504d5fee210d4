//! Which BigQuery a query goes to. Nothing is guessed: a query that was meant for the laptop must not
//! cost money, and one that was meant for production must not find an empty table.

use std::sync::Arc;
use std::time::Duration;

use gcp_bigquery_client::Client;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::dataset_reference::DatasetReference;

use crate::config::parse_address;
use crate::google::{TokenError, Tokens};

/// Where to run the query.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which BigQuery")]
pub struct TargetArgs {
    /// The one of `pixel-pipeline local`, on that port of this machine
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "9050")]
    local: Option<u16>,
    /// Another BigQuery, as http://127.0.0.1:9050; asks for no credentials
    #[arg(long, env, value_name = "URL")]
    bigquery_emulator_host: Option<String>,
    /// Project that runs the query, and pays for it [default without an account: local]
    #[arg(long, env = "GOOGLE_CLOUD_PROJECT", value_name = "ID")]
    project: Option<String>,
    /// Dataset of tables that are named without one, as DATASET or PROJECT.DATASET
    #[arg(long, env, value_name = "NAME", default_value = "parsed_pixel")]
    dataset: String,
    /// Base URL of BigQuery's API
    #[arg(long, env, value_name = "URL", default_value = "https://bigquery.googleapis.com", hide = true)]
    bigquery_endpoint: String,
}

/// A BigQuery, a project in it, and a dataset.
#[derive(Debug)]
pub(crate) struct Target {
    endpoint: String,
    tokens: Tokens,
    pub(crate) project: String,
    pub(crate) dataset: DatasetReference,
}

/// The command line does not say where to go.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("say which BigQuery: --local for `pixel-pipeline local`, or --project ID for a live project")]
    Unsaid,
    #[error("BigQuery's address: {0}")]
    Address(String),
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl TargetArgs {
    pub(crate) fn resolve(&self) -> Result<Target, TargetError> {
        let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let emulator = match self.local {
            Some(port) => Some(format!("http://127.0.0.1:{port}")),
            None => given(&self.bigquery_emulator_host),
        };
        let (endpoint, tokens, project) = match (emulator, given(&self.project)) {
            (Some(address), project) => (address, Tokens::None, project.unwrap_or_else(|| "local".to_owned())),
            (None, Some(project)) => (self.bigquery_endpoint.clone(), Tokens::application_default()?, project),
            (None, None) => return Err(TargetError::Unsaid),
        };
        let endpoint = parse_address(&endpoint).map_err(TargetError::Address)?;
        let (owner, dataset) = self.dataset.split_once([':', '.']).unwrap_or((&project, &self.dataset));
        let dataset = DatasetReference { project_id: owner.to_owned(), dataset_id: dataset.to_owned() };
        Ok(Target { endpoint, tokens, project, dataset })
    }
}

impl Target {
    /// A client that has sent nothing yet.
    pub(crate) async fn client(&self) -> Result<Client, BQError> {
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION")));
        if matches!(self.tokens, Tokens::None) {
            // A proxy has no way to this machine.
            http = http.no_proxy();
        }
        ClientBuilder::new()
            .with_v2_base_url(format!("{}/bigquery/v2", self.endpoint))
            .with_client(http.build()?)
            .build_from_authenticator(Arc::new(self.tokens.clone()))
            .await
    }
}
