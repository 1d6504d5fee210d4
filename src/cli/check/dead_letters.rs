//! What Pub/Sub gives up: the topic it goes to, who keeps it there, and Pub/Sub's own two grants.

use super::link::{Fault, Link, Verdict};
use super::names::Names;
use super::pixel::text;
use super::policy::Policies;
use super::seen::Seen;
use super::sink::PUBLISHERS;

/// Roles that may acknowledge.
const SUBSCRIBERS: [&str; 5] = ["roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin", "roles/editor", "roles/owner"];

pub(crate) fn links(seen: &Seen, names: &Names) -> Vec<Link> {
    vec![
        Link::new("dead-letter topic", topic(seen, names)),
        Link::new("dead letters kept", subscription(seen, names)),
        Link::new("Pub/Sub may give up", publisher(seen, names)),
        Link::new("Pub/Sub may forget", subscriber(seen, names)),
    ]
}

fn topic(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, dead_letter, .. } = names;
    let create = || format!("gcloud pubsub topics create {dead_letter} --project={project}");
    seen.pubsub.dead_letter_topic.found(&format!("topic {dead_letter}"), create)?;
    Ok(dead_letter.clone())
}

/// A topic keeps nothing for a subscription that comes later.
fn subscription(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, dead_letter, .. } = names;
    seen.pubsub.dead_letter_topic.needed(&format!("topic {dead_letter}"))?;
    let create = || {
        format!(
            "gcloud pubsub subscriptions create {dead_letter} --project={project} --topic={dead_letter} \
             --message-retention-duration=7d --expiration-period=never"
        )
    };
    let subscription =
        seen.pubsub.dead_letter_subscription.found(&format!("subscription {dead_letter}, and what is given up is lost"), create)?;
    if subscription["topic"] != names.dead_letter_path().as_str() {
        return Err(Fault::wrong(
            format!("subscription {dead_letter} is of {}", text(&subscription["topic"])),
            format!("gcloud pubsub subscriptions delete {dead_letter} --project={project}\n{}", create()),
        ));
    }
    Ok(format!("by subscription {dead_letter}"))
}

fn publisher(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, dead_letter, .. } = names;
    let policies = Policies::new(&seen.pubsub.dead_letter_policy, &seen.project_policy, &format!("topic {dead_letter}"))?;
    let agent = agent(seen)?;
    if policies.grant(&agent, &PUBLISHERS) {
        return Ok(format!("its agent publishes on topic {dead_letter}"));
    }
    Err(Fault::wrong(
        format!("its agent may not publish on topic {dead_letter}, so nothing is ever given up"),
        format!(
            "gcloud pubsub topics add-iam-policy-binding {dead_letter} --project={project} --member={agent} --role=roles/pubsub.publisher"
        ),
    ))
}

fn subscriber(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, push, .. } = names;
    let policies = Policies::new(&seen.pubsub.subscription_policy, &seen.project_policy, &format!("subscription {push}"))?;
    let agent = agent(seen)?;
    if policies.grant(&agent, &SUBSCRIBERS) {
        return Ok(format!("its agent acknowledges on subscription {push}"));
    }
    Err(Fault::wrong(
        format!("its agent may not acknowledge on subscription {push}, so what it has given up comes again"),
        format!(
            "gcloud pubsub subscriptions add-iam-policy-binding {push} --project={project} --member={agent} --role=roles/pubsub.subscriber"
        ),
    ))
}

/// The account that Google makes for Pub/Sub in this project. Cloud Run knows the project by its number, too.
fn agent(seen: &Seen) -> Result<String, Fault> {
    let of_service = || seen.service.value()?["metadata"]["namespace"].as_str().filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    let number = match (seen.project.needed("project"), of_service()) {
        (Ok(project), _) => text(&project["projectNumber"]),
        (Err(_), Some(number)) => number.to_owned(),
        (Err(fault), None) => return Err(fault),
    };
    Ok(format!("serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"))
}
