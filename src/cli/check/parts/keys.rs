//! The keys of the service in Secret Manager: HASH_USER_IDS and URL_SIGNING_KEY.

use super::Context;
use crate::cli::check::part::Part;
use crate::cli::check::policy::{Command, Grant, Member};
use crate::cli::check::state::Source;
use crate::google::Api;

const LINK: &str = "keys";
const NOT_STARTED: &str = "new instances of the service do not start";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    context.deployment.secrets.iter().flat_map(|(key, secret)| [secret_of(context, key, secret), grant(context, secret)]).collect()
}

fn path(context: &Context, secret: &str) -> String {
    format!("v1/projects/{}/secrets/{secret}", context.names.project)
}

fn secret_of(context: &Context, key: &str, secret: &str) -> Part {
    let names = context.names;
    let part = Part::new(LINK, format!("secret {secret}"), Source::get(Api::SecretManager, path(context, secret)));
    let part = part.found(format!("{key} in secret {secret}")).required(NOT_STARTED, &names.deploy);
    // Only a secret that deploy.sh made has the label.
    if !secret.starts_with(&format!("{}-", names.name)) {
        return part;
    }
    let update = format!("gcloud secrets update {secret} --project={} --update-labels=pipeline={}", names.project, names.name);
    context.labeled(part, update)
}

fn grant(context: &Context, secret: &str) -> Part {
    let names = context.names;
    Grant {
        link: LINK,
        resource: format!("secret {secret}"),
        policy: Source::get(Api::SecretManager, format!("{}:getIamPolicy", path(context, secret))),
        member: Member::Known(format!("serviceAccount:{}", names.run_account)),
        roles: &["roles/secretmanager.secretAccessor", "roles/secretmanager.admin", "roles/owner"],
        effect: NOT_STARTED,
        command: Command { group: "secrets", resource: format!("{secret} --project={}", names.project) },
        found: String::new(),
    }
    .part(context)
}
