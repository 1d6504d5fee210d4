//! Where Google's APIs are, by the variables with which gcloud is sent elsewhere, too.

use std::path::PathBuf;

use clap::Args;

use super::{Problems, parse_base};
use crate::google::Endpoints;

/// gcloud's own settings, so that one environment leads both. They are not in `--help`.
#[derive(Debug, Clone, Args)]
pub struct EndpointArgs {
    #[arg(long, hide = true, env = "CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY")]
    bigquery_api: Option<String>,
    #[arg(
        long,
        hide = true,
        env = "CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER",
        default_value = "https://cloudresourcemanager.googleapis.com/"
    )]
    projects_api: String,
    #[arg(
        long,
        hide = true,
        env = "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE",
        default_value = "https://compute.googleapis.com/compute/v1/"
    )]
    compute_api: String,
    #[arg(long, hide = true, env = "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING", default_value = "https://logging.googleapis.com/")]
    logging_api: String,
    #[arg(long, hide = true, env = "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB", default_value = "https://pubsub.googleapis.com/")]
    pubsub_api: String,
    #[arg(long, hide = true, env = "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", default_value = "https://run.googleapis.com/")]
    run_api: String,
    #[arg(
        long,
        hide = true,
        env = "CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE",
        default_value = "https://storage.googleapis.com/storage/v1/"
    )]
    storage_api: String,
    /// File with an access token, in place of the credentials that would be found
    #[arg(long, hide = true, env = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", value_name = "FILE")]
    pub(crate) access_token_file: Option<PathBuf>,
}

impl EndpointArgs {
    /// `bigquery` is the address that the service's own settings name, unless it is the usual one.
    pub(crate) fn read(&self, bigquery: Option<&str>, region: &str, problems: &mut Problems) -> Option<Endpoints> {
        let mut base = |name: &str, text: &str| problems.check(&format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"), parse_base(text));
        let bigquery = match (bigquery, &self.bigquery_api) {
            (Some(address), _) => Some(format!("{address}/bigquery/v2")),
            (None, Some(text)) => base("BIGQUERY", text),
            (None, None) => Some("https://bigquery.googleapis.com/bigquery/v2".to_owned()),
        };
        let (projects, compute) = (base("CLOUDRESOURCEMANAGER", &self.projects_api), base("COMPUTE", &self.compute_api));
        let (logging, pubsub) = (base("LOGGING", &self.logging_api), base("PUBSUB", &self.pubsub_api));
        let (run, storage) = (base("RUN", &self.run_api), base("STORAGE", &self.storage_api));
        Some(Endpoints {
            bigquery: bigquery?,
            projects: projects?,
            compute: compute?,
            logging: logging?,
            pubsub: pubsub?,
            run: regional(&run?, region),
            storage: storage?,
        })
    }
}

/// Cloud Run shows a service only in the API of its region.
fn regional(base: &str, region: &str) -> String {
    base.replacen("://run.googleapis.com", &format!("://{region}-run.googleapis.com"), 1)
}
