//! The topics: of the log entries, and of the dead letters.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Context;
use crate::cli::check::names::ResourceNames;
use crate::cli::check::part::{Expected, Part, condition, is};
use crate::cli::check::policy::{Command, not_public};
use crate::cli::check::state::Source;
use crate::google::Api;

/// Roles that permit to publish.
pub(super) const PUBLISHERS: [&str; 5] =
    ["roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin", "roles/editor", "roles/owner"];

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let name = &context.names.name;
    let command = Command { group: "pubsub topics", resource: format!("{name} --project={}", context.names.project) };
    let policy = Part::new("topic", format!("topic {name}"), policy(context, name)).found("");
    vec![
        topic(context, "topic", name, "the log sink has no destination, and the requests for the pixel never become events"),
        policy.rule(not_public(format!("topic {name}"), command, &[], "everyone can read events or write forged ones")),
    ]
}

/// A topic without a schema and without a key of its own.
pub(super) fn topic(context: &Context, link: &'static str, name: &str, effect: &'static str) -> Part {
    let names = context.names;
    let (project, pipeline) = (&names.project, &names.name);
    let update = format!("gcloud pubsub topics update {name} --project={project}");
    let regions = storage_regions(names);
    let flag = format!("--message-storage-policy-allowed-regions={}", regions.join(","));
    let text = regions.join(", ");
    let is_stored_there = move |found: &Value| {
        let found: BTreeSet<&str> = found.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        found == regions.iter().map(String::as_str).collect()
    };
    Part::new(link, format!("topic {name}"), Source::get(Api::Pubsub, format!("v1/projects/{project}/topics/{name}")))
        .found(name)
        .required(effect, format!("gcloud pubsub topics create {name} --project={project} --labels=pipeline={pipeline} {flag}"))
        .member_fixed_by(
            "/messageStoragePolicy/allowedPersistenceRegions",
            condition(text, is_stored_there),
            "messages are stored in other places than the events",
            format!("{update} {flag}"),
        )
        .member_fixed_by(
            "/labels/pipeline",
            is(pipeline.as_str()),
            Context::LABEL_EFFECT,
            format!("{update} --update-labels=pipeline={pipeline}"),
        )
        .member_fixed_by(
            "/schemaSettings",
            Expected::Unset,
            "messages that do not fit the schema are refused",
            format!("{update} --clear-schema-settings"),
        )
}

/// More than one region in a multi-region, so that the failure of a region does not stop the log sink.
fn storage_regions(names: &ResourceNames) -> Vec<String> {
    let regions: &[&str] = match &*names.location {
        "EU" => &["europe-west1", "europe-west4", "europe-north1"],
        "US" => &["us-central1", "us-east1", "us-west1"],
        region => return vec![region.to_owned()],
    };
    let own = Some(&*names.region).filter(|region| !regions.contains(region));
    own.into_iter().chain(regions.iter().copied()).map(str::to_owned).collect()
}

pub(super) fn policy(context: &Context, topic: &str) -> Source {
    Source::get(Api::Pubsub, format!("v1/projects/{}/topics/{topic}:getIamPolicy", context.names.project))
}
