//! From the log entry to the topic: the sink, the topic, and the sink's permission to publish.

use serde_json::Value;

use super::link::{Fault, Link, LinkProblems, Verdict};
use super::names::ResourceNames;
use super::policy::Policies;
use super::shell::quoted;
use super::state::DeploymentState;
use super::text;
use crate::config::Deployment;

/// Roles that permit to publish.
pub(crate) const PUBLISHERS: [&str; 5] =
    ["roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin", "roles/editor", "roles/owner"];

pub(crate) fn links(state: &DeploymentState, names: &ResourceNames, deployment: &Deployment) -> Vec<Link> {
    vec![
        Link::new("log sink", sink(state, names, &deployment.service.template.decode.requests.paths.texts())),
        Link::new("topic", topic(state, names)),
        Link::new("sink publisher", grant(state, names)),
    ]
}

fn sink(state: &DeploymentState, names: &ResourceNames, paths: &[String]) -> Verdict {
    let ResourceNames { project, name, .. } = names;
    let destination = format!("pubsub.googleapis.com/{}", names.topic_path());
    let filter = filter(name, paths);
    let arguments = format!("{name} {destination} --project={project} --log-filter={}", quoted(&filter));
    let sink = state.sink.found(&format!("log sink {name}"), || format!("gcloud logging sinks create {arguments}"))?;
    let update = format!("gcloud logging sinks update {arguments}");
    let mut problems = LinkProblems::default();
    if sink["destination"] != destination.as_str() {
        problems.add(format!("it writes to {} and not to topic {name}", text(&sink["destination"])), &update);
    }
    let live = without_spaces(sink["filter"].as_str().unwrap_or(""));
    let missing: Vec<String> = required_parts(name, paths).into_iter().filter(|part| !live.contains(&without_spaces(part))).collect();
    if !missing.is_empty() {
        problems.add(format!("its filter lacks {}", missing.join(", ")), &update);
    }
    if sink["disabled"] == true {
        problems.add("it is disabled", format!("gcloud logging sinks update {name} --project={project} --no-disabled"));
    }
    let exclusions = sink["exclusions"].as_array().into_iter().flatten().filter(|exclusion| exclusion["disabled"] != true);
    let exclusions: Vec<String> = exclusions.map(|exclusion| text(&exclusion["name"])).collect();
    if !exclusions.is_empty() {
        problems.add(
            format!("its exclusions drop entries: {}", exclusions.join(", ")),
            format!("gcloud logging sinks update {name} --project={project} --clear-exclusions"),
        );
    }
    problems.or(format!("{name} sends {} to the topic", paths.join(", ")))
}

/// Excludes the requests of Cloud CDN's own, which no visitor made. A filter without it only sends more messages: the service
/// filters them, too.
const NOT_OF_CDN: &str = "NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:\"Cloud-CDN-Google\"";

/// The parts that a filter of the pixel's entries needs.
fn required_parts(url_map: &str, paths: &[String]) -> Vec<String> {
    let load_balancer = ["resource.type=\"http_load_balancer\"".to_owned(), format!("url_map_name=\"{url_map}\"")];
    load_balancer.into_iter().chain(paths.iter().map(|path| format!("requestUrl:\"{path}\""))).collect()
}

/// The filter that deploy.sh sets.
fn filter(url_map: &str, paths: &[String]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| format!("httpRequest.requestUrl:\"{path}\"")).collect();
    let paths = if paths.len() > 1 { format!("({})", paths.join(" OR ")) } else { paths.concat() };
    format!("resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"{url_map}\" AND {paths} AND {NOT_OF_CDN}")
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn topic(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, name, .. } = names;
    state.pubsub.topic.found(&format!("topic {name}"), || format!("gcloud pubsub topics create {name} --project={project}"))?;
    Ok(name.clone())
}

fn grant(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, name, .. } = names;
    let writer = writer(state.sink.needed(&format!("log sink {name}"))?)?;
    let policies = Policies::new(&state.pubsub.topic_policy, &state.project_policy, &format!("topic {name}"))?;
    if policies.grant(writer, &PUBLISHERS) {
        return Ok(format!("{writer} can publish to topic {name}"));
    }
    Err(Fault::broken(
        format!("the sink's account {writer} cannot publish to topic {name}"),
        format!(
            "gcloud pubsub topics add-iam-policy-binding {name} --project={project} --member={} --role=roles/pubsub.publisher",
            quoted(writer)
        ),
    ))
}

fn writer(sink: &Value) -> Result<&str, Fault> {
    let none = || Fault::unknown("the sink has no writerIdentity".to_owned());
    sink["writerIdentity"].as_str().filter(|writer| !writer.is_empty()).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_matches_each_of_several_paths() {
        let paths = ["/a.png".to_owned(), "/b.gif".to_owned()];
        let filter = filter("pixel", &paths);
        assert_eq!(
            filter,
            "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"pixel\" AND \
             (httpRequest.requestUrl:\"/a.png\" OR httpRequest.requestUrl:\"/b.gif\") AND NOT jsonPayload.parentInsertId:* AND \
             NOT httpRequest.userAgent:\"Cloud-CDN-Google\""
        );
        assert!(required_parts("pixel", &paths).iter().all(|part| filter.contains(part)));
    }
}
