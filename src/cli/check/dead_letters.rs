//! Pub/Sub's dead letters: their topic, the subscription that keeps them, and the two grants of Pub/Sub's agent.

use super::link::{Fault, Link, Verdict};
use super::names::ResourceNames;
use super::policy::Policies;
use super::sink::PUBLISHERS;
use super::state::DeploymentState;
use super::text;

/// Roles that permit to acknowledge.
const SUBSCRIBERS: [&str; 5] = ["roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin", "roles/editor", "roles/owner"];

pub(crate) fn links(state: &DeploymentState, names: &ResourceNames) -> Vec<Link> {
    vec![
        Link::new("dead-letter topic", topic(state, names)),
        Link::new("dead-letter subscription", subscription(state, names)),
        Link::new("dead-letter publisher", publisher(state, names)),
        Link::new("dead-letter subscriber", subscriber(state, names)),
    ]
}

fn topic(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, dead_letter, .. } = names;
    let create = || format!("gcloud pubsub topics create {dead_letter} --project={project}");
    state.pubsub.dead_letter_topic.found(&format!("topic {dead_letter}"), create)?;
    Ok(dead_letter.clone())
}

/// A topic keeps no messages for a subscription that is created later.
fn subscription(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, dead_letter, .. } = names;
    state.pubsub.dead_letter_topic.needed(&format!("topic {dead_letter}"))?;
    let create = || {
        format!(
            "gcloud pubsub subscriptions create {dead_letter} --project={project} --topic={dead_letter} \
             --message-retention-duration=7d --expiration-period=never"
        )
    };
    let subscription = state.pubsub.dead_letter_subscription.found(&format!("subscription {dead_letter}"), create)?;
    if subscription["topic"] != names.dead_letter_path().as_str() {
        return Err(Fault::broken(
            format!("subscription {dead_letter} belongs to {} and not to topic {dead_letter}", text(&subscription["topic"])),
            format!("gcloud pubsub subscriptions delete {dead_letter} --project={project}\n{}", create()),
        ));
    }
    Ok(format!("by subscription {dead_letter}"))
}

fn publisher(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, dead_letter, .. } = names;
    let policies = Policies::new(&state.pubsub.dead_letter_policy, &state.project_policy, &format!("topic {dead_letter}"))?;
    let agent = agent(state)?;
    if policies.grant(&agent, &PUBLISHERS) {
        return Ok(format!("Pub/Sub's agent can publish to topic {dead_letter}"));
    }
    Err(Fault::broken(
        format!("Pub/Sub's agent cannot publish to topic {dead_letter}, so no message is ever dead-lettered"),
        format!(
            "gcloud pubsub topics add-iam-policy-binding {dead_letter} --project={project} --member={agent} --role=roles/pubsub.publisher"
        ),
    ))
}

fn subscriber(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, push, .. } = names;
    let policies = Policies::new(&state.pubsub.subscription_policy, &state.project_policy, &format!("subscription {push}"))?;
    let agent = agent(state)?;
    if policies.grant(&agent, &SUBSCRIBERS) {
        return Ok(format!("Pub/Sub's agent can acknowledge messages of subscription {push}"));
    }
    Err(Fault::broken(
        format!("Pub/Sub's agent cannot acknowledge messages of subscription {push}, so dead-lettered messages are delivered again"),
        format!(
            "gcloud pubsub subscriptions add-iam-policy-binding {push} --project={project} --member={agent} --role=roles/pubsub.subscriber"
        ),
    ))
}

/// The account that Google creates for Pub/Sub in this project. Cloud Run's resource has the project's number, too.
fn agent(state: &DeploymentState) -> Result<String, Fault> {
    let number_of_service =
        || state.service.value()?["metadata"]["namespace"].as_str().filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    let number = match (state.project.needed("project"), number_of_service()) {
        (Ok(project), _) => text(&project["projectNumber"]),
        (Err(_), Some(number)) => number.to_owned(),
        (Err(fault), None) => return Err(fault),
    };
    Ok(format!("serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"))
}
