//! The archive of log entries in Cloud Storage, which is optional.

use serde_json::{Value, json};

use super::Context;
use super::bucket::location_is;
use super::sink::{self, writer};
use crate::cli::check::part::{Part, condition, is};
use crate::cli::check::policy::{Command, Grant, not_public};
use crate::cli::check::state::Source;
use crate::config::settings::{ARCHIVE, ARCHIVE_DAYS};
use crate::google::Api;

/// Roles that permit to create an object.
const WRITERS: [&str; 4] =
    ["roles/storage.objectCreator", "roles/storage.objectAdmin", "roles/storage.admin", "roles/storage.legacyBucketWriter"];
const LOST: &str = "entries are not archived";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    if !context.deployment.service.values.boolean(&ARCHIVE) {
        return vec![no_sink(context)];
    }
    let names = context.names;
    let sink = sink::sink(context, "archive", &names.archive, &format!("storage.googleapis.com/{}", names.archive_bucket), LOST);
    vec![bucket(context), sink.found(""), grant(context)]
}

/// Without an archive, only its sink is deleted: the bucket keeps its files.
fn no_sink(context: &Context) -> Part {
    let (project, sink) = (&context.names.project, &context.names.archive);
    let delete = format!("gcloud logging sinks delete {sink} --project={project}");
    Part::new("archive", format!("log sink {sink}"), sink::source(context, sink))
        .found("off")
        .unwanted("entries are archived although ARCHIVE is not true", delete)
}

fn bucket(context: &Context) -> Part {
    let names = context.names;
    let (project, bucket, location) = (&names.project, &names.archive_bucket, &names.location);
    let days: u64 = context.deployment.service.values.number(&ARCHIVE_DAYS);
    let rules = json!([{"action": {"type": "Delete"}, "condition": {"age": days}}]);
    let update = format!("gcloud storage buckets update gs://{bucket} --project={project}");
    let set_lifecycle = format!("{update} --clear-lifecycle\n{}", names.deploy);
    let part = Part::new("archive", format!("bucket gs://{bucket}"), Source::get(Api::Storage, format!("b/{bucket}")))
        .found(format!("every entry in gs://{bucket} for {days} days"))
        .required(
            LOST,
            format!(
                "gcloud storage buckets create gs://{bucket} --project={project} --location={location} --uniform-bucket-level-access \
                 --public-access-prevention\n{}",
                names.deploy
            ),
        )
        .member_fixed_by("/location", location_is(location), "entries are not archived in LOCATION", "")
        .member_fixed_by(
            "/iamConfiguration/publicAccessPrevention",
            is("enforced"),
            "a grant can make the entries, with addresses of visitors, public",
            format!("{update} --public-access-prevention"),
        )
        .member_fixed_by(
            "/iamConfiguration/uniformBucketLevelAccess/enabled",
            is(true),
            "the access list of an object decides who can read it",
            format!("{update} --uniform-bucket-level-access"),
        )
        .member_fixed_by("/lifecycle/rule", is(rules), "files are deleted earlier or later than ARCHIVE_DAYS", set_lifecycle)
        .member_fixed_by(
            "/retentionPolicy",
            condition("not set", Value::is_null),
            "files cannot be deleted",
            format!("{update} --clear-retention-period"),
        );
    context.labeled(part, format!("{update} --update-labels=pipeline={}", names.name))
}

fn grant(context: &Context) -> Part {
    let (project, bucket) = (&context.names.project, &context.names.archive_bucket);
    let command = Command { group: "storage buckets", resource: format!("gs://{bucket} --project={project}") };
    Grant {
        link: "archive",
        resource: format!("bucket gs://{bucket}"),
        policy: Source::get(Api::Storage, format!("b/{bucket}/iam")),
        member: writer(context, &context.names.archive),
        roles: &WRITERS,
        effect: LOST,
        command: command.clone(),
        found: String::new(),
    }
    .part(context)
    .rule(not_public(format!("bucket gs://{bucket}"), command, &[], "everyone can read the entries, with addresses of visitors"))
}
