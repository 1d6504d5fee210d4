//! The BigQuery that a query is sent to. It has to be named: a query for the local BigQuery must not cost money, and one
//! for production must not read an empty table.

use std::sync::Arc;
use std::time::Duration;

use gcp_bigquery_client::Client;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::dataset_reference::DatasetReference;

use crate::config::{check_project, parse_address, parse_identifier};
use crate::google::{TokenError, Tokens};

/// Where to run the query.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// Query the BigQuery of `pixel-pipeline local` on this port
    #[arg(long, value_name = "PORT", num_args = 0..=1, require_equals = true, default_missing_value = "9050")]
    local: Option<u16>,
    /// Query another BigQuery, as http://127.0.0.1:9050, without credentials
    #[arg(long, env, value_name = "URL")]
    bigquery_emulator_host: Option<String>,
    /// Project that runs the query and pays for it [default for an emulator: local]
    #[arg(long, env, value_name = "PROJECT", alias = "project")]
    project_id: Option<String>,
    /// The same under Google's name
    #[arg(long, env, value_name = "PROJECT", hide = true)]
    google_cloud_project: Option<String>,
    /// Default dataset, as DATASET or PROJECT.DATASET
    #[arg(long, env, value_name = "NAME", default_value = "parsed_pixel")]
    dataset: String,
    /// Base URL of BigQuery's API
    #[arg(long, env, value_name = "URL", default_value = "https://bigquery.googleapis.com", hide = true)]
    bigquery_endpoint: String,
}

/// A BigQuery, a project and a dataset, without credentials.
#[derive(Debug)]
pub(crate) struct Address {
    endpoint: String,
    is_emulator: bool,
    is_local: bool,
    project: String,
    dataset: DatasetReference,
}

/// The same with credentials.
#[derive(Debug)]
pub(crate) struct Target {
    endpoint: String,
    tokens: Tokens,
    /// Whether --local selected it.
    pub(crate) is_local: bool,
    pub(crate) project: String,
    pub(crate) dataset: DatasetReference,
}

/// The command line names no valid target.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("cannot run the query: no target; add --local for `pixel-pipeline local`, or --project-id PROJECT for a live project")]
    Missing,
    #[error("invalid address of BigQuery: {0}")]
    Address(String),
    #[error("invalid project: {0}")]
    Project(String),
    #[error("invalid dataset: {0}")]
    Dataset(String),
}

impl TargetArgs {
    pub(crate) fn address(&self) -> Result<Address, TargetError> {
        let value = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let emulator = match self.local {
            Some(port) => Some(format!("http://127.0.0.1:{port}")),
            None => value(&self.bigquery_emulator_host),
        };
        let (endpoint, is_emulator, project) = match (emulator, value(&self.project_id).or_else(|| value(&self.google_cloud_project))) {
            (Some(address), project) => (address, true, project.unwrap_or_else(|| "local".to_owned())),
            (None, Some(project)) => (self.bigquery_endpoint.clone(), false, project),
            (None, None) => return Err(TargetError::Missing),
        };
        let endpoint = parse_address(&endpoint).map_err(TargetError::Address)?;
        let (owner, dataset) = self.dataset.trim().rsplit_once([':', '.']).unwrap_or((&project, self.dataset.trim()));
        for project in [&project, owner] {
            check_project(project.to_owned()).map_err(TargetError::Project)?;
        }
        parse_identifier(dataset, false).map_err(TargetError::Dataset)?;
        let dataset = DatasetReference { project_id: owner.to_owned(), dataset_id: dataset.to_owned() };
        Ok(Address { endpoint, is_emulator, is_local: self.local.is_some(), project, dataset })
    }
}

impl Address {
    pub(crate) fn with_credentials(self) -> Result<Target, TokenError> {
        let tokens = Tokens::new(self.is_emulator)?;
        let Self { endpoint, is_local, project, dataset, .. } = self;
        Ok(Target { endpoint, tokens, is_local, project, dataset })
    }
}

impl Target {
    /// A client that has sent nothing yet.
    pub(crate) async fn client(&self) -> Result<Client, BQError> {
        let mut http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .user_agent(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION")));
        if matches!(self.tokens, Tokens::None) {
            // A proxy cannot reach this machine.
            http = http.no_proxy();
        }
        ClientBuilder::new()
            .with_v2_base_url(format!("{}/bigquery/v2", self.endpoint))
            .with_client(http.build()?)
            .build_from_authenticator(Arc::new(self.tokens.clone()))
            .await
    }
}
