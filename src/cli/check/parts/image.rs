//! What builds or fetches the image of the service.

use super::{Context, accounts};
use crate::cli::check::part::{Part, is};
use crate::cli::check::policy::{Command, Grant, Member, project_policy};
use crate::cli::check::state::Source;
use crate::config::settings::IMAGE;
use crate::google::Api;

const PUBLISHED: &str = "ghcr.io/";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    match context.text(&IMAGE) {
        "" => {
            let repository = repository(context, &context.names.name).member("/format", is("DOCKER"), "it stores no images");
            vec![build_account(context), builder(context), repository]
        }
        image if image.starts_with(PUBLISHED) => {
            let remote = "/remoteRepositoryConfig/commonRepository/uri";
            let repository = repository(context, &format!("{}-ghcr", context.names.name));
            vec![repository.member(remote, is("https://ghcr.io"), "Cloud Run cannot fetch the image")]
        }
        _ => Vec::new(),
    }
}

/// The image that the service runs, without the tag or digest of a build.
pub(super) fn name(context: &Context) -> String {
    let (names, image) = (context.names, context.text(&IMAGE));
    let registry = format!("{}-docker.pkg.dev/{}/{}", names.region, names.project.replace(':', "/"), names.name);
    match (image, image.strip_prefix(PUBLISHED)) {
        ("", _) => format!("{registry}/{}", names.service),
        // A repository in Artifact Registry is a proxy of ghcr.io, from which Cloud Run does not pull.
        (_, Some(rest)) => format!("{registry}-ghcr/{rest}"),
        (image, None) => image.to_owned(),
    }
}

pub(super) fn is_built(context: &Context) -> bool {
    context.text(&IMAGE).is_empty()
}

fn build_account(context: &Context) -> Part {
    accounts::part(context, "image", &context.names.build_account, "builds the image").found("")
}

fn builder(context: &Context) -> Part {
    let (project, account) = (&context.names.project, &context.names.build_account);
    Grant {
        link: "image",
        resource: format!("project {project}"),
        policy: project_policy(context),
        member: Member::Known(format!("serviceAccount:{account}")),
        roles: &["roles/run.builder", "roles/editor", "roles/owner"],
        effect: "the image cannot be built",
        command: Command { group: "projects", resource: format!("{project} --condition=None") },
        found: String::new(),
    }
    .part(context)
}

fn repository(context: &Context, repository: &str) -> Part {
    let (names, pipeline) = (context.names, &context.names.name);
    let (project, region) = (&names.project, &names.region);
    let source = Source::get(Api::ArtifactRegistry, format!("v1/projects/{project}/locations/{region}/repositories/{repository}"));
    let labels = format!(
        "gcloud artifacts repositories update {repository} --project={project} --location={region} --update-labels=pipeline={pipeline}"
    );
    Part::new("image", format!("image repository {repository}"), source)
        .found(name(context))
        .required("the service cannot start a new instance", names.deploy.clone())
        .member_fixed_by("/labels/pipeline", is(pipeline.as_str()), Context::LABEL_EFFECT, labels)
}
