//! The one description of a deployment: each resource that deploy.sh and the Terraform module make, in the order of an
//! event's path, and each member that they set.
//!
//! A file has the parts of one kind. It makes no requests: `state` reads the resources, and `part` compares them.

mod accounts;
mod alerts;
mod apis;
mod archive;
mod balancer;
mod bucket;
mod dashboard;
mod dataset;
mod dead_letters;
mod domains;
mod environment;
mod hosts;
mod image;
mod keys;
mod metrics;
mod monitoring_files;
mod service;
mod sink;
mod slo;
mod subscription;
mod tables;
mod topic;
mod uptime;
mod views;

use std::io;

use super::defaults::ServiceSetting;
use super::difference::is_default;
use super::names::ResourceNames;
use super::part::{Part, condition};
use crate::config::Deployment;
use crate::config::setting::Setting;
use crate::config::settings::{DOMAIN, SCHEMA_FILE, SHARE_DATASET, URL_MAP};
use crate::decode::Schema;

pub(crate) use service::source as service_source;
pub(crate) use tables::{schema, template_source};

/// What the description depends on.
pub(crate) struct Context<'a> {
    pub(crate) names: &'a ResourceNames,
    pub(crate) deployment: &'a Deployment,
    /// The settings that the deployment passes on to the service.
    pub(crate) settings: &'a [ServiceSetting],
    /// The columns of SCHEMA_FILE, or why they are unknown.
    pub(crate) schema: Result<Schema, String>,
}

/// All parts of a deployment.
pub(crate) fn all(context: &Context) -> Vec<Part> {
    [
        apis::parts(context),
        accounts::parts(context),
        bucket::parts(context),
        balancer::parts(context),
        sink::parts(context),
        archive::parts(context),
        topic::parts(context),
        dead_letters::topics(context),
        subscription::parts(context),
        dead_letters::parts(context),
        keys::parts(context),
        image::parts(context),
        service::parts(context),
        environment::parts(context),
        dataset::parts(context),
        tables::parts(context),
        views::parts(context),
        metrics::parts(context),
        uptime::parts(context),
        slo::parts(context),
        alerts::parts(context),
        dashboard::parts(context),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The parts of an emulator, which has no accounts, no labels and no views.
pub(crate) fn of_emulator(context: &Context) -> Vec<Part> {
    [vec![dataset::location(context)], tables::of_emulator(context)].into_iter().flatten().collect()
}

impl<'a> Context<'a> {
    pub(crate) fn new(names: &'a ResourceNames, deployment: &'a Deployment, settings: &'a [ServiceSetting]) -> Self {
        let file = &deployment.schema_file;
        // Elsewhere than in the repository, there is only the built-in copy of the default.
        let is_default = file == SCHEMA_FILE.deployed_default();
        let schema = match std::fs::read_to_string(file) {
            Ok(text) => Schema::parse(&text).map_err(|error| format!("cannot read SCHEMA_FILE {file}: {error}")),
            Err(error) if is_default && error.kind() == io::ErrorKind::NotFound => Ok(deployment.service.template.schema.clone()),
            Err(error) => Err(format!("cannot read SCHEMA_FILE {file}: {error}: run this command in the folder of the repository")),
        };
        Self { names, deployment, settings, schema }
    }

    /// A setting of the deployment, as text.
    pub(crate) fn text(&self, setting: &Setting) -> &str {
        self.deployment.service.values.text(setting).trim()
    }

    /// The hosts of DOMAIN.
    fn domains(&self) -> Vec<&str> {
        self.text(&DOMAIN).split(',').map(str::trim).filter(|host| !host.is_empty()).collect()
    }

    /// The URL map of a load balancer that is not ours.
    fn url_map(&self) -> Option<&str> {
        Some(self.text(&URL_MAP)).filter(|name| !name.is_empty())
    }

    /// Whether other pipelines use the dataset, too.
    fn shares_dataset(&self) -> bool {
        self.deployment.service.values.boolean(&SHARE_DATASET)
    }

    /// The mark of the owner of a resource that has no labels. Older versions of deploy.sh did not set it.
    fn marked(&self, part: Part, fix: impl Into<String>) -> Part {
        let mark = self.names.mark();
        let expected = condition(mark.clone(), move |found| is_default(found) || found == mark.as_str());
        part.member_fixed_by("/description", expected, Self::LABEL_EFFECT, fix)
    }

    /// The same as a label.
    fn labeled(&self, part: Part, fix: impl Into<String>) -> Part {
        let pipeline = self.names.name.clone();
        let expected = condition(pipeline.clone(), move |found| found.is_null() || found == pipeline.as_str());
        part.member_fixed_by("/labels/pipeline", expected, Self::LABEL_EFFECT, fix)
    }

    /// The effect of a missing label: destroy.sh and later versions of deploy.sh recognize the pipeline's resources by it.
    pub(crate) const LABEL_EFFECT: &'static str = "deploy.sh and destroy.sh take it for a resource of someone else";
}
