//! The bucket with the pixel: an object for each path, which everyone can read.

use super::Context;
use crate::cli::check::part::{Expected, Part, condition, is};
use crate::cli::check::policy::{Command, Grant, Member, not_public};
use crate::cli::check::state::Source;
use crate::google::Api;

/// Roles that let everyone read an object by its name. The first one does not let them list the objects.
const READERS: [&str; 2] = ["roles/storage.legacyObjectReader", "roles/storage.objectViewer"];

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let paths = context.deployment.service.template.decode.requests.paths.texts();
    let objects = paths.iter().map(|path| object(context, path));
    std::iter::once(bucket(context)).chain(objects).chain([public(context)]).collect()
}

fn bucket(context: &Context) -> Part {
    let names = context.names;
    let (project, bucket, location) = (&names.project, &names.bucket, &names.location);
    let update = format!("gcloud storage buckets update gs://{bucket} --project={project}");
    let part = Part::new("pixel", format!("bucket gs://{bucket}"), Source::get(Api::Storage, format!("b/{bucket}")))
        .found(format!("gs://{bucket}"))
        .required(
            "requests for the pixel are answered 404",
            format!(
                "gcloud storage buckets create gs://{bucket} --project={project} --location={location} --uniform-bucket-level-access \
                 --no-public-access-prevention"
            ),
        )
        // The location of a bucket cannot be changed.
        .member_fixed_by("/location", location_is(location), "the pixel is not stored in LOCATION", "")
        .member_fixed_by(
            "/iamConfiguration/publicAccessPrevention",
            condition("inherited", |found| found.as_str().is_none_or(|found| matches!(found, "inherited" | "unspecified"))),
            "visitors cannot read the pixel, and requests are answered 403",
            format!("{update} --no-public-access-prevention"),
        )
        .member_fixed_by(
            "/iamConfiguration/uniformBucketLevelAccess/enabled",
            is(true),
            "the access list of an object decides who can read it",
            format!("{update} --uniform-bucket-level-access"),
        )
        .member_fixed_by("/lifecycle", Expected::Unset, "its rules can delete the pixel", format!("{update} --clear-lifecycle"))
        .member_fixed_by(
            "/billing/requesterPays",
            Expected::Unset,
            "visitors would have to pay, and requests are answered 400",
            format!("{update} --no-requester-pays"),
        );
    context.labeled(part, format!("{update} --update-labels=pipeline={}", names.name))
}

/// A location, without regard to case: the API writes it in capitals.
pub(super) fn location_is(location: &str) -> Expected {
    let expected = location.to_owned();
    condition(location, move |found| found.as_str().is_some_and(|found| found.eq_ignore_ascii_case(&expected)))
}

fn object(context: &Context, path: &str) -> Part {
    let names = context.names;
    let (project, bucket, name) = (&names.project, &names.bucket, names.object(path));
    let url = format!("gs://{bucket}/{name}");
    let segment: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let upload = format!(
        "gcloud storage cp deploy/pixel.png {url} --project={project} --content-type=image/png --cache-control='public, max-age=0'"
    );
    let update = format!("gcloud storage objects update {url} --project={project}");
    Part::new("pixel", format!("object {url}"), Source::get(Api::Storage, format!("b/{bucket}/o/{segment}")))
        .found(path)
        .required(format!("requests for {path} are answered 404, and are not counted"), upload.clone())
        .member_fixed_by(
            "/contentType",
            condition("an image", |found| found.as_str().is_some_and(|kind| kind.starts_with("image/"))),
            "browsers and mail programs do not load it as an image",
            format!("{update} --content-type=image/png"),
        )
        .member_fixed_by(
            "/cacheControl",
            is("public, max-age=0"),
            "browsers may show their copy, and repeated views are not counted",
            format!("{update} --cache-control='public, max-age=0'"),
        )
        .member_fixed_by("/size", condition("more than 0", |size| size != "0" && size != 0), "it is no image", upload)
}

fn public(context: &Context) -> Part {
    let (project, bucket) = (&context.names.project, &context.names.bucket);
    let command = Command { group: "storage buckets", resource: format!("gs://{bucket} --project={project}") };
    Grant {
        link: "pixel is public",
        resource: format!("bucket gs://{bucket}"),
        policy: Source::get(Api::Storage, format!("b/{bucket}/iam")),
        member: Member::Known("allUsers".to_owned()),
        roles: &READERS,
        effect: "requests for the pixel are answered 403",
        command: command.clone(),
        found: "everyone can read an object by its name".to_owned(),
    }
    .part(context)
    .rule(not_public(format!("bucket gs://{bucket}"), command, &READERS, "everyone can change the pixel or list the objects"))
}
