//! From the topic to the service: the push subscription.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Context, service};
use crate::cli::check::part::{Expected, Part, condition, is};
use crate::cli::check::state::Source;
use crate::google::Api;

/// The ack deadline of a deployment, in seconds.
const ACK_DEADLINE: u64 = 60;
/// How long an unacknowledged message is kept.
pub(super) const RETENTION: &str = "604800s";
const LOST_LATER: &str = "messages that wait longer, while BigQuery or the service is down, are lost";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    vec![subscription(context)]
}

pub(super) fn path(context: &Context, name: &str) -> String {
    format!("v1/projects/{}/subscriptions/{name}", context.names.project)
}

fn subscription(context: &Context) -> Part {
    let names = context.names;
    let (project, name, push, push_account, dead_letter) =
        (&names.project, &names.name, &names.push, &names.push_account, &names.dead_letter);
    // gcloud replaces the push configuration as a whole. The URL of the service is known to gcloud only.
    let url = format!(
        "$(gcloud run services describe {} --project={project} --region={} --format='value(status.url)')",
        names.service, names.region
    );
    let flags = format!(
        "--push-endpoint=\"{url}/\" --push-auth-service-account={push_account} --push-auth-token-audience=\"{url}\" \
         --ack-deadline={ACK_DEADLINE} --min-retry-delay=10s --max-retry-delay=600s --dead-letter-topic={dead_letter} \
         --max-delivery-attempts=100 --message-retention-duration=7d --expiration-period=never"
    );
    let create = format!("gcloud pubsub subscriptions create {push} --project={project} --topic={name} {flags} --labels=pipeline={name}");
    let update = format!("gcloud pubsub subscriptions update {push} --project={project}");
    // Some members of a subscription cannot be changed.
    let again = format!("gcloud pubsub subscriptions delete {push} --project={project}\n{create}");
    let mut part = Part::new("push subscription", format!("subscription {push}"), Source::get(Api::Pubsub, path(context, push)))
        .found(format!("{push} of topic {name} pushes to {}", names.service))
        .needs(service::source(context))
        .required("events wait in no queue and are lost", create.clone())
        .update(format!("{update} {flags}"))
        .member_fixed_by("/topic", is(names.topic_path()), "events never reach the service", again.clone())
        .member("/pushConfig/pushEndpoint", service_url(context, "/"), "events never reach the service")
        .member("/pushConfig/oidcToken/serviceAccountEmail", is(push_account.as_str()), "Cloud Run or the service refuses the pushes")
        // Without an audience, Pub/Sub uses the endpoint.
        .member("/pushConfig/oidcToken/audience", service_url(context, ""), "Cloud Run refuses the pushes")
        .member("/ackDeadlineSeconds", ack_deadline(context), "messages in progress are delivered again")
        .member(
            "/retryPolicy/minimumBackoff",
            is("10s"),
            "failed messages are delivered again too early or too late, and use up their attempts",
        )
        .member(
            "/retryPolicy/maximumBackoff",
            is("600s"),
            "failed messages are delivered again too early or too late, and use up their attempts",
        )
        .member(
            "/deadLetterPolicy/deadLetterTopic",
            is(names.dead_letter_path()),
            "messages that always fail are delivered for ever or lost",
        )
        .member(
            "/deadLetterPolicy/maxDeliveryAttempts",
            is(100),
            "messages of a new table, which BigQuery needs minutes for, become dead letters",
        )
        .member("/messageRetentionDuration", is(RETENTION), LOST_LATER)
        .member("/expirationPolicy", never_expires(), "Pub/Sub deletes it when it is not used for that time")
        .member_fixed_by("/labels/pipeline", is(name.as_str()), Context::LABEL_EFFECT, format!("{update} --update-labels=pipeline={name}"))
        .member("/state", condition("ACTIVE", |found| found.is_null() || found == "ACTIVE"), "it delivers nothing");
    for (member, effect) in [
        ("/filter", "messages that do not match it are lost"),
        ("/bigqueryConfig", "messages go to a table and not to the service"),
        ("/cloudStorageConfig", "messages go to a bucket and not to the service"),
        ("/pushConfig/noWrapper", "the service cannot read the pushes"),
        ("/detached", "it gets no messages"),
    ] {
        part = part.member_fixed_by(member, Expected::Unset, effect, again.clone());
    }
    part
}

fn service_url(context: &Context, path: &'static str) -> Expected {
    let source = service::source(context);
    Expected::From(Box::new(move |state| Ok(json!(format!("{}{path}", service::url(state, &source)?)))))
}

/// The deployment's deadline, which has to be longer than the service may take.
fn ack_deadline(context: &Context) -> Expected {
    let push_deadline = context.deployment.service.push_deadline;
    let text = format!("{ACK_DEADLINE} (PUSH_DEADLINE is {push_deadline:?})");
    condition(text, move |found| {
        found.as_u64().is_some_and(|seconds| seconds == ACK_DEADLINE && Duration::from_secs(seconds) > push_deadline)
    })
}

/// Without the policy, the default of 31 days applies.
pub(super) fn never_expires() -> Expected {
    condition("without a time", |policy: &Value| policy.is_object() && policy["ttl"].is_null())
}
