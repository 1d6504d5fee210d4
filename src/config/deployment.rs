//! The settings of `check`: those of deploy/pipeline.env, and the addresses of Google's APIs.

use std::path::PathBuf;

use super::settings::{
    BIGQUERY_ENDPOINT, CLOUDSDK_AUTH_ACCESS_TOKEN_FILE, LOCATION, PIPELINE, PIXEL_PATH, PROJECT_ID, REGION, SCHEMA_FILE,
};
use super::{Config, Problems, RawSettings, endpoints};
use crate::decode::PixelPaths;
use crate::decode::pixel_paths::PixelPath;
use crate::google::Endpoints;

/// The settings, all of them valid.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub project: String,
    pub region: String,
    pub location: String,
    pub name: String,
    /// SCHEMA_FILE, unchanged. The file is not read.
    pub schema_file: String,
    pub service: Config,
    pub endpoints: Endpoints,
    /// The setting and the secret of each key that is in Secret Manager.
    pub secrets: Vec<(&'static str, String)>,
    /// CLOUDSDK_AUTH_ACCESS_TOKEN_FILE.
    pub access_token_file: Option<PathBuf>,
}

impl RawSettings {
    /// Every setting of a deployment, checked. `gcloud_project` returns the project of gcloud's configuration.
    pub async fn load_deployment(&self, gcloud_project: impl FnOnce() -> Option<String>) -> Result<Deployment, Problems> {
        let mut problems = Problems::default();
        let local = || self.is_local().then(|| "local".to_owned());
        let project = self.project().map(|(_, project)| project).or_else(local).or_else(gcloud_project);
        if project.is_none() {
            problems.add(PROJECT_ID.name, "it is not set: set it to the id of the deployment's project");
        }
        let (mut settings, keys) = self.without_secret_names();
        // A placeholder, so that the other mistakes are found, too.
        settings.set(&PROJECT_ID, project.clone().unwrap_or_else(|| "unknown".to_owned()));
        // Only the table that was created from the file is checked.
        settings.set(&SCHEMA_FILE, "");
        let values = settings.check(&mut problems);
        let service = settings.read_service(&values, &mut problems).await;
        let (region, name) = (values.text(&REGION), values.text(&PIPELINE));
        let location = values.optional(&LOCATION).unwrap_or_else(|| location_of(region));
        let is_location = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        for (setting, text) in [(&REGION, region), (&LOCATION, location)] {
            if !is_location(text) {
                problems.add(setting.name, format!("{text:?} is not a location such as us-central1 or EU"));
            }
        }
        let is_name = (3..=24).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('-')
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !is_name {
            problems.add(PIPELINE.name, format!("{name:?} is not 3 to 24 characters a-z, 0-9 and -, beginning with a letter"));
        }
        if let Some(service) = service.as_ref().filter(|_| !self.is_local()) {
            check_paths(&service.template.decode.requests.paths, &mut problems);
        }
        let address = service.as_ref().map(|service| service.location.endpoint.as_str());
        let address = address.filter(|address| self.is_local() || *address != BIGQUERY_ENDPOINT.default);
        let endpoints = endpoints::read(&values, address, region, &mut problems);
        let deployment = (|| {
            Some(Deployment {
                project: project?,
                region: region.to_owned(),
                location: location.to_owned(),
                name: name.to_owned(),
                schema_file: self.optional(&SCHEMA_FILE).unwrap_or(SCHEMA_FILE.deployed_default()).to_owned(),
                service: service?,
                endpoints: endpoints?,
                secrets: keys.into_iter().filter_map(|key| Some((key.setting.name, key.secret?))).collect(),
                access_token_file: values.path(&CLOUDSDK_AUTH_ACCESS_TOKEN_FILE),
            })
        })();
        problems.or(deployment)
    }
}

/// The default of LOCATION: the multi-region that contains the region, else the region.
fn location_of(region: &str) -> &str {
    match region.split_once('-') {
        Some(("europe", _)) => "EU",
        Some(("us", _)) => "US",
        _ => region,
    }
}

#[test]
fn location_follows_region() {
    for (region, location) in
        [("europe-west3", "EU"), ("us-east4", "US"), ("asia-east1", "asia-east1"), ("northamerica-northeast1", "northamerica-northeast1")]
    {
        assert_eq!(location_of(region), location);
    }
}

/// The pixel is an object for each path, and the filter of the log sink names the paths.
fn check_paths(paths: &PixelPaths, problems: &mut Problems) {
    let is_plain = |path: &str| path.chars().all(|c| c.is_ascii_alphanumeric() || "._~/-".contains(c));
    if paths.is_any() || paths.iter().any(PixelPath::is_prefix) {
        problems.add(PIXEL_PATH.name, "* is not the name of an object: list the paths of the pixel");
    } else if let Some(path) = paths.iter().find(|path| !is_plain(path.text())) {
        let problem = format!("{:?} has a character that a deployment does not support: use letters, digits, . _ ~ / and -", path.text());
        problems.add(PIXEL_PATH.name, problem);
    }
}
