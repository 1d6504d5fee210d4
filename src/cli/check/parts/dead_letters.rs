//! Pub/Sub's dead letters: their topic, the subscription that keeps them, and the two grants of Pub/Sub's agent.

use super::subscription::{self, RETENTION, never_expires};
use super::topic::{self, PUBLISHERS, topic};
use super::{Context, service};
use crate::cli::check::difference::text;
use crate::cli::check::part::{Expected, Part, is};
use crate::cli::check::policy::{Command, Grant, Member};
use crate::cli::check::state::Source;
use crate::google::Api;

/// Roles that permit to acknowledge.
const SUBSCRIBERS: [&str; 5] = ["roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin", "roles/editor", "roles/owner"];
const NOWHERE: &str = "messages that always fail are delivered again for ever";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    vec![subscription(context), publisher(context), subscriber(context)]
}

/// It has to exist before the push subscription, which refers to it.
pub(super) fn topics(context: &Context) -> Vec<Part> {
    vec![topic(context, "dead-letter topic", &context.names.dead_letter, NOWHERE)]
}

/// A topic keeps no messages for a subscription that is created later.
fn subscription(context: &Context) -> Part {
    let names = context.names;
    let (project, pipeline, name) = (&names.project, &names.name, &names.dead_letter);
    let flags = "--message-retention-duration=7d --expiration-period=never";
    let create =
        format!("gcloud pubsub subscriptions create {name} --project={project} --topic={name} {flags} --labels=pipeline={pipeline}");
    let update = format!("gcloud pubsub subscriptions update {name} --project={project}");
    let again = format!("gcloud pubsub subscriptions delete {name} --project={project}\n{create}");
    let effect = "dead letters are lost";
    Part::new("dead-letter subscription", format!("subscription {name}"), Source::get(Api::Pubsub, subscription::path(context, name)))
        .found(format!("subscription {name} keeps dead letters for 7 days"))
        .required(effect, create)
        .update(format!("{update} {flags}"))
        .member_fixed_by("/topic", is(names.dead_letter_path()), effect, again.clone())
        .member("/messageRetentionDuration", is(RETENTION), "dead letters are lost earlier than after 7 days")
        .member("/expirationPolicy", never_expires(), "Pub/Sub deletes it when nobody reads dead letters for that time")
        .member_fixed_by(
            "/labels/pipeline",
            is(pipeline.as_str()),
            Context::LABEL_EFFECT,
            format!("{update} --update-labels=pipeline={pipeline}"),
        )
        .member_fixed_by("/filter", Expected::Unset, "dead letters that do not match it are lost", again.clone())
        .member_fixed_by("/pushConfig/pushEndpoint", Expected::Unset, "dead letters are pushed there and not kept", again.clone())
        .member_fixed_by("/detached", Expected::Unset, effect, again)
}

fn publisher(context: &Context) -> Part {
    let (project, name) = (&context.names.project, &context.names.dead_letter);
    Grant {
        link: "dead-letter publisher",
        resource: format!("topic {name}"),
        policy: topic::policy(context, name),
        member: agent(context),
        roles: &PUBLISHERS,
        effect: NOWHERE,
        command: Command { group: "pubsub topics", resource: format!("{name} --project={project}") },
        found: format!("Pub/Sub can publish to topic {name}"),
    }
    .part(context)
}

fn subscriber(context: &Context) -> Part {
    let (project, push) = (&context.names.project, &context.names.push);
    Grant {
        link: "dead-letter subscriber",
        resource: format!("subscription {push}"),
        policy: Source::get(Api::Pubsub, format!("{}:getIamPolicy", subscription::path(context, push))),
        member: agent(context),
        roles: &SUBSCRIBERS,
        effect: "dead letters are delivered again",
        command: Command { group: "pubsub subscriptions", resource: format!("{push} --project={project}") },
        found: format!("Pub/Sub can acknowledge messages of subscription {push}"),
    }
    .part(context)
}

/// The account that Google creates for Pub/Sub in this project. Cloud Run's resource has the project's number, too.
fn agent(context: &Context) -> Member {
    let project = Source::get(Api::Projects, format!("v1/projects/{}", context.names.project));
    let (needed, service) = (project.clone(), service::source(context));
    Member::Of(
        project,
        Box::new(move |state| {
            let number = match state.needed(&needed, "project") {
                Ok(project) => text(&project["projectNumber"]),
                Err(fault) => {
                    let service = state.get(&service).ok().flatten();
                    let namespace = service.and_then(|service| service["metadata"]["namespace"].as_str());
                    namespace.filter(|name| name.bytes().all(|b| b.is_ascii_digit())).ok_or(fault)?.to_owned()
                }
            };
            Ok(format!("serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"))
        }),
    )
}
