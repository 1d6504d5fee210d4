//! The service accounts: of the service, and of the pushes.

use super::Context;
use crate::cli::check::part::{Expected, Part, is};
use crate::cli::check::shell::quoted;
use crate::cli::check::state::Source;
use crate::google::Api;

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let names = context.names;
    let purposes = [(&names.run_account, "the service"), (&names.push_account, "signs pushes of Pub/Sub")];
    purposes.into_iter().map(|(account, purpose)| part(context, "service accounts", account, purpose)).collect()
}

/// A service account, as deploy.sh describes it.
pub(super) fn part(context: &Context, link: &'static str, email: &str, purpose: &str) -> Part {
    let (project, name) = (&context.names.project, &context.names.name);
    let display_name = format!("Pixel pipeline {name}: {purpose}");
    let account = email.split('@').next().unwrap_or_default();
    let name = quoted(&display_name);
    let create = format!("gcloud iam service-accounts create {account} --project={project} --display-name={name}");
    Part::new(link, format!("service account {email}"), Source::get(Api::Iam, format!("v1/projects/{project}/serviceAccounts/{email}")))
        .required("what runs or calls with it is refused", format!("{create}\n{}", context.names.deploy))
        .member_fixed_by(
            "/disabled",
            Expected::Unset,
            "what runs or calls with it is refused",
            format!("gcloud iam service-accounts enable {email} --project={project}"),
        )
        .member_fixed_by(
            "/displayName",
            is(display_name),
            Context::LABEL_EFFECT,
            format!("gcloud iam service-accounts update {email} --project={project} --display-name={name}"),
        )
}
