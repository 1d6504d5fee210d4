//! The names of a deployment's parts, as deploy.sh and the Terraform module create them.

use std::path::Path;

use super::shell::quoted;
use crate::config::Deployment;

/// The names that follow from PROJECT_ID and PIPELINE.
#[derive(Debug, Clone)]
pub(crate) struct ResourceNames {
    pub(crate) project: String,
    pub(crate) region: String,
    pub(crate) location: String,
    /// Backend bucket, URL map, address, topic and log sink.
    pub(crate) name: String,
    pub(crate) bucket: String,
    pub(crate) http: String,
    pub(crate) https: String,
    pub(crate) push: String,
    pub(crate) dead_letter: String,
    pub(crate) service: String,
    /// The service's account.
    pub(crate) run_account: String,
    /// The account whose tokens Pub/Sub sends with pushes.
    pub(crate) push_account: String,
    /// The account that builds the image.
    pub(crate) build_account: String,
    pub(crate) archive: String,
    pub(crate) archive_bucket: String,
    pub(crate) dataset: String,
    pub(crate) table: String,
    pub(crate) dead_letter_table: String,
    /// The command that creates all parts.
    pub(crate) deploy: String,
}

impl ResourceNames {
    pub(crate) fn of(deployment: &Deployment, settings: Option<&Path>) -> Self {
        let (project, name) = (deployment.project.clone(), deployment.name.clone());
        // example.com:project has accounts at project.example.com
        let domain = project.split_once(':').map_or_else(|| project.clone(), |(owner, id)| format!("{id}.{owner}"));
        let account = |role: &str| format!("{name}-{role}@{domain}.iam.gserviceaccount.com");
        Self {
            bucket: format!("{}-{name}", project.replace(':', "-")),
            http: format!("{name}-http"),
            https: format!("{name}-https"),
            push: format!("{name}-push"),
            dead_letter: format!("{name}-dead-letter"),
            service: format!("{name}-pipeline"),
            run_account: account("run"),
            push_account: account("push"),
            build_account: account("build"),
            archive: format!("{name}-archive"),
            archive_bucket: format!("{}-{name}-archive", project.replace(':', "-")),
            dataset: deployment.service.location.dataset.clone(),
            table: deployment.service.template.table.to_string(),
            dead_letter_table: deployment.service.template.dead_letter_table.to_string(),
            deploy: deploy(deployment, settings),
            region: deployment.region.clone(),
            location: deployment.location.clone(),
            project,
            name,
        }
    }

    /// The description of resources that have no labels.
    pub(crate) fn mark(&self) -> String {
        format!("pixel-pipeline {}", self.name)
    }

    pub(crate) fn topic_path(&self) -> String {
        format!("projects/{}/topics/{}", self.project, self.name)
    }

    pub(crate) fn dead_letter_path(&self) -> String {
        format!("projects/{}/topics/{}", self.project, self.dead_letter)
    }

    /// The name of the object at a path of the pixel.
    pub(crate) fn object<'p>(&self, path: &'p str) -> &'p str {
        path.trim_start_matches('/')
    }

    /// A bq command of the project.
    pub(crate) fn bq(&self, command: &str) -> String {
        format!("bq --project_id={} {command}", self.project)
    }

    /// A bq command that runs a statement.
    pub(crate) fn statement(&self, sql: &str) -> String {
        self.bq(&format!("query --use_legacy_sql=false {}", quoted(sql)))
    }
}

/// With settings as variables: deploy.sh does not take our flags.
fn deploy(deployment: &Deployment, settings: Option<&Path>) -> String {
    let mut command = format!("PROJECT_ID={}", deployment.project);
    for (setting, value, default) in [("PIPELINE", &deployment.name, "pixel"), ("REGION", &deployment.region, "us-central1")] {
        if value != default {
            command += &format!(" {setting}={value}");
        }
    }
    command += " deploy/deploy.sh";
    if let Some(file) = settings {
        command += &format!(" {}", quoted(&file.display().to_string()));
    }
    command
}
