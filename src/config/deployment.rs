//! The settings of a deployment: those of deploy/pipeline.env that are not the service's own, and these.

use std::path::PathBuf;

use clap::Args;

use super::endpoints::EndpointArgs;
use super::{Config, Problems, ServeArgs};
use crate::google::{Endpoints, gcloud};

/// Where a deployment is, and what its service was told.
#[derive(Debug, Clone, Args)]
#[command(mut_arg("port", |arg| arg.hide(true)), mut_arg("google_cloud_project", |arg| arg.hide(true)))]
pub struct DeploymentArgs {
    /// Project of the deployment [default: GOOGLE_CLOUD_PROJECT, else gcloud's own project]
    #[arg(long, env, value_name = "PROJECT", help_heading = "Deployment")]
    project_id: Option<String>,
    /// Region of the Cloud Run service
    #[arg(long, env, value_name = "REGION", default_value = "us-central1", help_heading = "Deployment")]
    region: String,
    /// Location of the dataset and the pixel's bucket
    #[arg(long, env, value_name = "LOCATION", default_value = "US", help_heading = "Deployment")]
    location: String,
    /// What the names of all parts begin with
    #[arg(long, env, value_name = "NAME", default_value = "pixel", help_heading = "Deployment")]
    pipeline: String,
    /// Host of the pixel, if it has HTTPS
    #[arg(long, env, value_name = "HOST", help_heading = "Deployment")]
    domain: Option<String>,
    #[command(flatten)]
    endpoints: EndpointArgs,
    #[command(flatten, next_help_heading = "What the service is told")]
    serve: ServeArgs,
}

/// The same, all of them valid.
#[derive(Debug, Clone)]
pub struct Deployment {
    pub project: String,
    pub region: String,
    pub location: String,
    pub name: String,
    pub domain: Option<String>,
    /// What the template table is made of, as it was given. The file is not read.
    pub schema_file: String,
    pub service: Config,
    pub endpoints: Endpoints,
    /// gcloud's CLOUDSDK_AUTH_ACCESS_TOKEN_FILE.
    pub access_token_file: Option<PathBuf>,
}

impl DeploymentArgs {
    /// Whether there is no project to look at.
    pub fn is_local(&self) -> bool {
        self.serve.is_local()
    }

    /// Every setting, checked.
    pub async fn load(mut self) -> Result<Deployment, Problems> {
        let mut problems = Problems::default();
        let project = self.project();
        if project.is_none() {
            problems.add("PROJECT_ID", "it is not set: set it to the id of the deployment's project");
        }
        // A name for the while, so that the other mistakes are found, too.
        self.serve.google_cloud_project = Some(project.clone().unwrap_or_else(|| "unknown".to_owned()));
        // deploy.sh makes the table of it, relative to its own folder; what counts here is the table.
        let schema_file = self.serve.decode.schema_file.take().filter(|file| !file.as_os_str().is_empty());
        let service = match self.serve.load().await {
            Ok(config) => Some(config),
            Err(Problems(more)) => {
                problems.0.extend(more);
                None
            }
        };
        let is_place = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        for (name, text) in [("REGION", &self.region), ("LOCATION", &self.location)] {
            if !is_place(text) {
                problems.add(name, format!("{text:?} is not a place, as us-central1 or EU is"));
            }
        }
        let is_name = (3..=24).contains(&self.pipeline.len())
            && self.pipeline.starts_with(|c: char| c.is_ascii_lowercase())
            && !self.pipeline.ends_with('-')
            && self.pipeline.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !is_name {
            problems.add("PIPELINE", format!("{:?} is not 3 to 24 characters a-z, 0-9 and -, beginning with a letter", self.pipeline));
        }
        if !self.is_local() && service.as_ref().is_some_and(|service| service.template.decode.pixel_paths.is_empty()) {
            problems.add("PIXEL_PATH", "* is not the name of an object: list the paths at which the pixel is");
        }
        let address = service.as_ref().map(|service| service.location.endpoint.as_str());
        let address = address.filter(|address| self.is_local() || *address != "https://bigquery.googleapis.com");
        let endpoints = self.endpoints.read(address, &self.region, &mut problems);
        let deployment = (|| {
            Some(Deployment {
                project: project?,
                region: self.region,
                location: self.location,
                name: self.pipeline,
                domain: self.domain.filter(|domain| !domain.trim().is_empty()),
                schema_file: schema_file.map_or_else(|| "schema/pixel.json".to_owned(), |file| file.display().to_string()),
                service: service?,
                endpoints: endpoints?,
                access_token_file: self.endpoints.access_token_file.filter(|file| !file.as_os_str().is_empty()),
            })
        })();
        problems.or(deployment)
    }

    /// deploy.sh looks in the same places.
    fn project(&self) -> Option<String> {
        let given = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let local = || self.is_local().then(|| "local".to_owned());
        given(&self.project_id)
            .or_else(|| given(&self.serve.google_cloud_project))
            .or_else(local)
            .or_else(|| gcloud(&["config", "get-value", "project"]))
    }
}
