//! From the topic to the service: the push subscription, field by field.

use std::time::Duration;

use serde_json::Value;

use super::link::{Fault, Link, LinkProblems, Verdict};
use super::names::ResourceNames;
use super::shell::quoted;
use super::state::DeploymentState;
use super::text;
use crate::config::Deployment;

/// BigQuery takes minutes to create a table, and its messages are redelivered until then.
const MIN_DELIVERY_ATTEMPTS: u64 = 50;

pub(crate) fn links(state: &DeploymentState, names: &ResourceNames, deployment: &Deployment) -> Vec<Link> {
    let push_deadline = deployment.service.push_deadline;
    vec![
        Link::new("push subscription", subscription(state, names, push_deadline)),
        Link::new("push endpoint", endpoint(state, names)),
        Link::new("push identity", identity(state, names)),
        Link::new("ack deadline", ack_deadline(state, names, push_deadline)),
        Link::new("retries", retries(state, names)),
        Link::new("dead-letter policy", dead_letter_policy(state, names)),
    ]
}

fn subscription(state: &DeploymentState, names: &ResourceNames, push_deadline: Duration) -> Verdict {
    let ResourceNames { project, name, push, push_account, dead_letter, .. } = names;
    let url = service_url(state);
    let create = || {
        // Without a service there is no endpoint; deploy.sh creates both.
        let Ok(url) = url else { return names.deploy.clone() };
        format!(
            "gcloud pubsub subscriptions create {push} --project={project} --topic={name} --push-endpoint={} \
             --push-auth-service-account={push_account} --push-auth-token-audience={} --ack-deadline={} --min-retry-delay=10s \
             --max-retry-delay=600s --dead-letter-topic={dead_letter} --max-delivery-attempts=100 --message-retention-duration=7d \
             --expiration-period=never",
            quoted(&format!("{url}/")),
            quoted(url),
            ack_seconds(push_deadline),
        )
    };
    let subscription = state.pubsub.subscription.found(&format!("subscription {push}"), create)?;
    let mut problems = LinkProblems::default();
    if subscription["topic"] != names.topic_path().as_str() {
        // The topic of a subscription cannot be changed.
        problems.add(
            format!("it belongs to {} and not to topic {name}", text(&subscription["topic"])),
            format!("gcloud pubsub subscriptions delete {push} --project={project}\n{}", create()),
        );
    }
    if subscription["expirationPolicy"].is_null() || !subscription["expirationPolicy"]["ttl"].is_null() {
        problems.add("it expires when it is not used", update(names, "--expiration-period=never"));
    }
    problems.or(format!("{push} of topic {name}, without expiration"))
}

fn endpoint(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let (push, url) = (&push_subscription(state, names)?["pushConfig"], service_url(state)?);
    let endpoint = push["pushEndpoint"].as_str().filter(|endpoint| !endpoint.is_empty());
    match endpoint {
        Some(endpoint) if endpoint.trim_end_matches('/') == url => Ok(endpoint.to_owned()),
        _ => {
            let problem = format!("it pushes to {} and not to {url}/", endpoint.unwrap_or("no endpoint"));
            Err(Fault::broken(problem, update(names, &push_flags(names, url))))
        }
    }
}

/// Cloud Run requires a permitted account, and a token whose audience is this service.
fn identity(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let (token, url) = (&push_subscription(state, names)?["pushConfig"]["oidcToken"], service_url(state)?);
    let mut problems = LinkProblems::default();
    let flags = update(names, &push_flags(names, url));
    if token["serviceAccountEmail"] != names.push_account.as_str() {
        problems.add(format!("the push account is {} and not {}", text(&token["serviceAccountEmail"]), names.push_account), &flags);
    }
    // Without an audience, Pub/Sub uses the endpoint.
    if token["audience"].as_str().is_none_or(|audience| audience.trim_end_matches('/') != url) {
        problems.add(format!("the token's audience is {} and not {url}", text(&token["audience"])), &flags);
    }
    problems.or(format!("{}, for {url}", names.push_account))
}

/// Pub/Sub redelivers a message whose push is not answered within the deadline.
fn ack_deadline(state: &DeploymentState, names: &ResourceNames, push_deadline: Duration) -> Verdict {
    // The API leaves out the default.
    let deadline = Duration::from_secs(push_subscription(state, names)?["ackDeadlineSeconds"].as_u64().unwrap_or(10));
    if deadline > push_deadline {
        return Ok(format!("{deadline:?}; the service answers within {push_deadline:?}"));
    }
    Err(Fault::broken(
        format!("it is {deadline:?}, and the service may take {push_deadline:?} (PUSH_DEADLINE): messages in progress are redelivered"),
        update(names, &format!("--ack-deadline={}", ack_seconds(push_deadline))),
    ))
}

fn retries(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let policy = &push_subscription(state, names)?["retryPolicy"];
    if policy.is_null() {
        return Err(Fault::broken(
            "it has no retry policy: refused messages are redelivered at once and use up their attempts in seconds",
            update(names, "--min-retry-delay=10s --max-retry-delay=600s"),
        ));
    }
    let delay = |name: &str, default: &str| policy[name].as_str().unwrap_or(default).to_owned();
    Ok(format!("after {} to {}", delay("minimumBackoff", "10s"), delay("maximumBackoff", "600s")))
}

fn dead_letter_policy(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let policy = &push_subscription(state, names)?["deadLetterPolicy"];
    let fix = update(names, &format!("--dead-letter-topic={} --max-delivery-attempts=100", names.dead_letter));
    let attempts = policy["maxDeliveryAttempts"].as_u64().unwrap_or(5);
    let mut problems = LinkProblems::default();
    if policy["deadLetterTopic"] != names.dead_letter_path().as_str() {
        problems.add(format!("its dead-letter topic is {} and not {}", text(&policy["deadLetterTopic"]), names.dead_letter), &fix);
    } else if attempts < MIN_DELIVERY_ATTEMPTS {
        problems.add(format!("a message is dead-lettered after {attempts} attempts, fewer than a new table may need"), &fix);
    }
    problems.or(format!("to topic {} after {attempts} attempts", names.dead_letter))
}

fn push_subscription<'s>(state: &'s DeploymentState, names: &ResourceNames) -> Result<&'s Value, Fault> {
    state.pubsub.subscription.needed(&format!("subscription {}", names.push))
}

/// The service's URL.
fn service_url(state: &DeploymentState) -> Result<&str, Fault> {
    let none = || Fault::unknown("the service has no URL yet".to_owned());
    state.service.needed("service")?["status"]["url"].as_str().ok_or_else(none)
}

/// All flags of the push configuration: gcloud replaces it as a whole.
fn push_flags(names: &ResourceNames, url: &str) -> String {
    format!(
        "--push-endpoint={} --push-auth-service-account={} --push-auth-token-audience={}",
        quoted(&format!("{url}/")),
        names.push_account,
        quoted(url)
    )
}

fn update(names: &ResourceNames, flags: &str) -> String {
    format!("gcloud pubsub subscriptions update {} --project={} {flags}", names.push, names.project)
}

/// An ack deadline in seconds. Pub/Sub's maximum is 600.
fn ack_seconds(push_deadline: Duration) -> u64 {
    (push_deadline.as_secs() + 10).clamp(60, 600)
}
