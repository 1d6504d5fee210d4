//! The APIs of the project.

use serde_json::Value;

use super::Context;
use crate::cli::check::difference::Difference;
use crate::cli::check::part::Part;
use crate::cli::check::state::Source;
use crate::config::settings::BUDGET;
use crate::google::Api;

/// The APIs that a deployment enables.
const APIS: [&str; 11] = [
    "artifactregistry",
    "bigquery",
    "cloudbuild",
    "cloudresourcemanager",
    "compute",
    "iam",
    "logging",
    "monitoring",
    "pubsub",
    "run",
    "storage",
];

/// Those that a budget needs, too.
const APIS_OF_BUDGET: [&str; 2] = ["billingbudgets", "cloudbilling"];

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let project = context.names.project.clone();
    let budget = if context.text(&BUDGET).is_empty() { &[] } else { APIS_OF_BUDGET.as_slice() };
    let keys: &[&str] = if context.deployment.secrets.is_empty() { &[] } else { &["secretmanager"] };
    let apis: Vec<&str> = APIS.iter().chain(budget).chain(keys).copied().collect();
    let names: Vec<String> = apis.iter().map(|api| format!("names=projects/{project}/services/{api}.googleapis.com")).collect();
    let source = Source::get(Api::ServiceUsage, format!("v1/projects/{project}/services:batchGet?{}", names.join("&")));
    let part = Part::new("APIs", format!("APIs of {project}"), source).found(format!("{} APIs are enabled", apis.len()));
    vec![part.rule(move |answer, _| {
        Ok(apis
            .iter()
            .filter(|api| !is_enabled(answer, api))
            .map(|api| Difference {
                resource: format!("API {api}.googleapis.com"),
                problem: "it is not enabled".to_owned(),
                effect: "requests to it fail".to_owned(),
                fix: format!("gcloud services enable {api}.googleapis.com --project={project}"),
            })
            .collect())
    })]
}

fn is_enabled(answer: &Value, api: &str) -> bool {
    let services = answer["services"].as_array().into_iter().flatten();
    let name = format!("/services/{api}.googleapis.com");
    services
        .into_iter()
        .any(|service| service["name"].as_str().is_some_and(|other| other.ends_with(&name)) && service["state"] == "ENABLED")
}
