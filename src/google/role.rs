//! The IAM role that a refused request needs, for the text of its error.

use reqwest::Method;

use super::endpoints::Api;

/// The smallest role that allows the request.
pub(super) fn role(api: Api, method: &Method, path: &str) -> &'static str {
    match api {
        Api::Pubsub | Api::Storage | Api::Projects if path.ends_with("iam") || path.ends_with("getIamPolicy") => {
            "roles/iam.securityReviewer"
        }
        Api::BigQuery if path.ends_with("/data") => "roles/bigquery.dataViewer",
        Api::BigQuery if path.contains("/queries") => "roles/bigquery.user",
        Api::BigQuery if method != Method::GET => "roles/bigquery.dataEditor",
        Api::BigQuery => "roles/bigquery.metadataViewer",
        Api::ArtifactRegistry => "roles/artifactregistry.reader",
        Api::Compute => "roles/compute.viewer",
        Api::Iam => "roles/iam.serviceAccountViewer",
        Api::Monitoring => "roles/monitoring.viewer",
        Api::ServiceUsage => "roles/serviceusage.serviceUsageViewer",
        Api::Logging => "roles/logging.viewer",
        Api::Projects => "roles/browser",
        Api::Pubsub => "roles/pubsub.viewer",
        Api::Run => "roles/run.viewer",
        Api::Storage if path.contains("/o/") => "roles/storage.objectViewer",
        Api::SecretManager => "roles/secretmanager.secretAccessor",
        Api::Storage => "roles/storage.bucketViewer",
    }
}
