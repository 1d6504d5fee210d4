//! Google's APIs by name, and the address of each.

/// An API, as `gcloud services enable` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    ArtifactRegistry,
    BigQuery,
    Compute,
    Iam,
    Logging,
    Monitoring,
    Projects,
    Pubsub,
    Run,
    SecretManager,
    ServiceUsage,
    Storage,
}

/// Base URLs, each with its version where gcloud's has it, and without a `/` at the end.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pub artifact_registry: String,
    pub bigquery: String,
    pub projects: String,
    pub compute: String,
    pub iam: String,
    pub logging: String,
    pub monitoring: String,
    pub pubsub: String,
    pub run: String,
    pub secret_manager: String,
    pub service_usage: String,
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
            Self::SecretManager => "secretmanager.googleapis.com",
            Self::ArtifactRegistry => "artifactregistry.googleapis.com",
            Self::Iam => "iam.googleapis.com",
            Self::Monitoring => "monitoring.googleapis.com",
            Self::ServiceUsage => "serviceusage.googleapis.com",
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
            secret_manager: "https://secretmanager.googleapis.com".to_owned(),
            artifact_registry: "https://artifactregistry.googleapis.com".to_owned(),
            iam: "https://iam.googleapis.com".to_owned(),
            monitoring: "https://monitoring.googleapis.com".to_owned(),
            service_usage: "https://serviceusage.googleapis.com".to_owned(),
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
            Api::SecretManager => &self.secret_manager,
            Api::ArtifactRegistry => &self.artifact_registry,
            Api::Iam => &self.iam,
            Api::Monitoring => &self.monitoring,
            Api::ServiceUsage => &self.service_usage,
            Api::Storage => &self.storage,
        }
    }
}
