//! The addresses of Google's APIs, read from gcloud's variables, so that one environment redirects gcloud and this program.

use super::parse::base_url;
use super::setting::Setting;
use super::settings::{
    CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY, CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER, CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE, CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING, CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING, CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN, CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER, CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE,
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE,
};
use super::{Problems, Values};
use crate::google::Endpoints;

/// `bigquery` is the address in the service's settings, unless it is the default.
pub(crate) fn read(values: &Values, bigquery: Option<&str>, region: &str, problems: &mut Problems) -> Option<Endpoints> {
    let mut base = |setting: &Setting| problems.check(setting.name, base_url(values.text(setting)));
    let bigquery = match (bigquery, values.optional(&CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY)) {
        (Some(address), _) => Some(format!("{address}/bigquery/v2")),
        (None, Some(_)) => base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY),
        (None, None) => Some("https://bigquery.googleapis.com/bigquery/v2".to_owned()),
    };
    let artifact_registry = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY);
    let iam = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM);
    let monitoring = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING);
    let service_usage = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE);
    let projects = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER);
    let compute = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE);
    let logging = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING);
    let pubsub = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB);
    let run = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN);
    let secret_manager = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER);
    let storage = base(&CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE);
    Some(Endpoints {
        artifact_registry: artifact_registry?,
        bigquery: bigquery?,
        iam: iam?,
        monitoring: monitoring?,
        service_usage: service_usage?,
        projects: projects?,
        compute: compute?,
        logging: logging?,
        pubsub: pubsub?,
        run: regional(&run?, region),
        secret_manager: secret_manager?,
        storage: storage?,
    })
}

/// Cloud Run shows a service only in the API of its region.
fn regional(base: &str, region: &str) -> String {
    base.replacen("://run.googleapis.com", &format!("://{region}-run.googleapis.com"), 1)
}
