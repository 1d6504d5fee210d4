//! Google's APIs by name, and the address of each.

/// An API, as `gcloud services enable` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    BigQuery,
    Compute,
    Logging,
    Projects,
    Pubsub,
    Run,
    Storage,
}

/// Base URLs, each with its version where gcloud's has it, and without a `/` at the end.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub bigquery: String,
    pub projects: String,
    pub compute: String,
    pub logging: String,
    pub pubsub: String,
    pub run: String,
    pub storage: String,
}

impl Api {
    /// The service's name.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::BigQuery => "bigquery.googleapis.com",
            Self::Compute => "compute.googleapis.com",
            Self::Logging => "logging.googleapis.com",
            Self::Projects => "cloudresourcemanager.googleapis.com",
            Self::Pubsub => "pubsub.googleapis.com",
            Self::Run => "run.googleapis.com",
            Self::Storage => "storage.googleapis.com",
        }
    }
}

impl Default for Endpoints {
    /// Google's own addresses.
    fn default() -> Self {
        Self {
            bigquery: "https://bigquery.googleapis.com/bigquery/v2".to_owned(),
            projects: "https://cloudresourcemanager.googleapis.com".to_owned(),
            compute: "https://compute.googleapis.com/compute/v1".to_owned(),
            logging: "https://logging.googleapis.com".to_owned(),
            pubsub: "https://pubsub.googleapis.com".to_owned(),
            run: "https://run.googleapis.com".to_owned(),
            storage: "https://storage.googleapis.com/storage/v1".to_owned(),
        }
    }
}

impl Endpoints {
    pub(crate) fn base(&self, api: Api) -> &str {
        match api {
            Api::BigQuery => &self.bigquery,
            Api::Compute => &self.compute,
            Api::Logging => &self.logging,
            Api::Projects => &self.projects,
            Api::Pubsub => &self.pubsub,
            Api::Run => &self.run,
            Api::Storage => &self.storage,
        }
    }
}
