//! From the topic to the service: the push subscription, field by field.

use std::time::Duration;

use serde_json::Value;

use super::link::{Fault, Link, Mistakes, Verdict};
use super::names::Names;
use super::pixel::text;
use super::seen::Seen;
use super::shell::quoted;
use crate::config::Deployment;

/// A new table takes minutes to be there, and its messages come again until it is.
const FEWEST_ATTEMPTS: u64 = 50;

pub(crate) fn links(seen: &Seen, names: &Names, deployment: &Deployment) -> Vec<Link> {
    let push_deadline = deployment.service.push_deadline;
    vec![
        Link::new("push subscription", subscription(seen, names, push_deadline)),
        Link::new("push endpoint", endpoint(seen, names)),
        Link::new("push identity", identity(seen, names)),
        Link::new("ack deadline", ack_deadline(seen, names, push_deadline)),
        Link::new("retries", retries(seen, names)),
        Link::new("dead-letter policy", dead_letter_policy(seen, names)),
    ]
}

fn subscription(seen: &Seen, names: &Names, push_deadline: Duration) -> Verdict {
    let Names { project, name, push, push_account, dead_letter, .. } = names;
    let url = service_url(seen);
    let create = || {
        // There is nowhere to push to yet, and deploy.sh makes both.
        let Ok(url) = url else { return names.deploy.clone() };
        format!(
            "gcloud pubsub subscriptions create {push} --project={project} --topic={name} --push-endpoint={} \
             --push-auth-service-account={push_account} --push-auth-token-audience={} --ack-deadline={} --min-retry-delay=10s \
             --max-retry-delay=600s --dead-letter-topic={dead_letter} --max-delivery-attempts=100 --message-retention-duration=7d \
             --expiration-period=never",
            quoted(&format!("{url}/")),
            quoted(url),
            enough(push_deadline),
        )
    };
    let subscription = seen.pubsub.subscription.found(&format!("subscription {push}"), create)?;
    let mut mistakes = Mistakes::default();
    if subscription["topic"] != names.topic_path().as_str() {
        // Its topic is the one thing that cannot be changed.
        mistakes.add(
            format!("it is of {} and not of topic {name}", text(&subscription["topic"])),
            format!("gcloud pubsub subscriptions delete {push} --project={project}\n{}", create()),
        );
    }
    if subscription["expirationPolicy"].is_null() || !subscription["expirationPolicy"]["ttl"].is_null() {
        mistakes.add("it is deleted when nothing happens for a while", update(names, "--expiration-period=never"));
    }
    mistakes.or(format!("{push} of topic {name}, which never expires"))
}

fn endpoint(seen: &Seen, names: &Names) -> Verdict {
    let (push, url) = (&needed(seen, names)?["pushConfig"], service_url(seen)?);
    let endpoint = push["pushEndpoint"].as_str().filter(|endpoint| !endpoint.is_empty());
    match endpoint {
        Some(endpoint) if endpoint.trim_end_matches('/') == url => Ok(endpoint.to_owned()),
        _ => {
            let problem = format!("it pushes to {} and not to {url}/", endpoint.unwrap_or("nobody"));
            Err(Fault::wrong(problem, update(names, &push_flags(names, url))))
        }
    }
}

/// Cloud Run asks for both: a known account, and that its token was meant for this service.
fn identity(seen: &Seen, names: &Names) -> Verdict {
    let (token, url) = (&needed(seen, names)?["pushConfig"]["oidcToken"], service_url(seen)?);
    let mut mistakes = Mistakes::default();
    let flags = update(names, &push_flags(names, url));
    if token["serviceAccountEmail"] != names.push_account.as_str() {
        mistakes.add(format!("pushes are signed by {} and not by {}", text(&token["serviceAccountEmail"]), names.push_account), &flags);
    }
    // Where none is set, Pub/Sub takes the endpoint.
    if token["audience"].as_str().is_none_or(|audience| audience.trim_end_matches('/') != url) {
        mistakes.add(format!("the token's audience is {} and not {url}", text(&token["audience"])), &flags);
    }
    mistakes.or(format!("{}, for {url}", names.push_account))
}

/// A push that is answered after the deadline has been sent again.
fn ack_deadline(seen: &Seen, names: &Names, push_deadline: Duration) -> Verdict {
    // The API leaves out what it has by default.
    let deadline = Duration::from_secs(needed(seen, names)?["ackDeadlineSeconds"].as_u64().unwrap_or(10));
    if deadline > push_deadline {
        return Ok(format!("{deadline:?}, and a push is answered within {push_deadline:?}"));
    }
    Err(Fault::wrong(
        format!("it is {deadline:?}, and the service may take {push_deadline:?} (PUSH_DEADLINE): what it still works on is sent again"),
        update(names, &format!("--ack-deadline={}", enough(push_deadline))),
    ))
}

fn retries(seen: &Seen, names: &Names) -> Verdict {
    let policy = &needed(seen, names)?["retryPolicy"];
    if policy.is_null() {
        return Err(Fault::wrong(
            "what is sent back comes again at once, and uses up its attempts in seconds",
            update(names, "--min-retry-delay=10s --max-retry-delay=600s"),
        ));
    }
    let delay = |name: &str, default: &str| policy[name].as_str().unwrap_or(default).to_owned();
    Ok(format!("after {} to {}", delay("minimumBackoff", "10s"), delay("maximumBackoff", "600s")))
}

fn dead_letter_policy(seen: &Seen, names: &Names) -> Verdict {
    let policy = &needed(seen, names)?["deadLetterPolicy"];
    let mend = update(names, &format!("--dead-letter-topic={} --max-delivery-attempts=100", names.dead_letter));
    let attempts = policy["maxDeliveryAttempts"].as_u64().unwrap_or(5);
    let mut mistakes = Mistakes::default();
    if policy["deadLetterTopic"] != names.dead_letter_path().as_str() {
        mistakes.add(format!("its dead-letter topic is {} and not {}", text(&policy["deadLetterTopic"]), names.dead_letter), &mend);
    } else if attempts < FEWEST_ATTEMPTS {
        mistakes.add(format!("a message is given up after {attempts} attempts, which a table that BigQuery still makes may need"), &mend);
    }
    mistakes.or(format!("to topic {} after {attempts} attempts", names.dead_letter))
}

fn needed<'s>(seen: &'s Seen, names: &Names) -> Result<&'s Value, Fault> {
    seen.pubsub.subscription.needed(&format!("subscription {}", names.push))
}

/// Where the service is.
fn service_url(seen: &Seen) -> Result<&str, Fault> {
    let none = || Fault::Unseen { problem: "the service has no URL yet".to_owned(), mend: None };
    seen.service.needed("service")?["status"]["url"].as_str().ok_or_else(none)
}

/// A whole push configuration: gcloud replaces it as one.
fn push_flags(names: &Names, url: &str) -> String {
    format!(
        "--push-endpoint={} --push-auth-service-account={} --push-auth-token-audience={}",
        quoted(&format!("{url}/")),
        names.push_account,
        quoted(url)
    )
}

fn update(names: &Names, flags: &str) -> String {
    format!("gcloud pubsub subscriptions update {} --project={} {flags}", names.push, names.project)
}

/// Seconds for the ack deadline; Pub/Sub takes no more than 600.
fn enough(push_deadline: Duration) -> u64 {
    (push_deadline.as_secs() + 10).clamp(60, 600)
}
