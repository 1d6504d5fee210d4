//! From the log entry to the topic: the sink, the topic, and the sink's right to publish.

use serde_json::Value;

use super::link::{Fault, Link, Mistakes, Verdict};
use super::names::Names;
use super::pixel::text;
use super::policy::Policies;
use super::seen::Seen;
use super::shell::quoted;
use crate::config::Deployment;

/// Roles that may publish.
pub(crate) const PUBLISHERS: [&str; 5] =
    ["roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin", "roles/editor", "roles/owner"];

pub(crate) fn links(seen: &Seen, names: &Names, deployment: &Deployment) -> Vec<Link> {
    vec![
        Link::new("log sink", sink(seen, names, &deployment.service.template.decode.pixel_paths)),
        Link::new("topic", topic(seen, names)),
        Link::new("sink may publish", grant(seen, names)),
    ]
}

fn sink(seen: &Seen, names: &Names, paths: &[String]) -> Verdict {
    let Names { project, name, .. } = names;
    let destination = format!("pubsub.googleapis.com/{}", names.topic_path());
    let filter = filter(name, paths);
    let arguments = format!("{name} {destination} --project={project} --log-filter={}", quoted(&filter));
    let sink = seen.sink.found(&format!("log sink {name}"), || format!("gcloud logging sinks create {arguments}"))?;
    let update = format!("gcloud logging sinks update {arguments}");
    let mut mistakes = Mistakes::default();
    if sink["destination"] != destination.as_str() {
        mistakes.add(format!("it writes to {} and not to topic {name}", text(&sink["destination"])), &update);
    }
    let live = without_spaces(sink["filter"].as_str().unwrap_or_default());
    let lacking: Vec<String> = wanted(name, paths).into_iter().filter(|part| !live.contains(&without_spaces(part))).collect();
    if !lacking.is_empty() {
        mistakes.add(format!("its filter does not ask for {}", lacking.join(", ")), &update);
    }
    if sink["disabled"] == true {
        mistakes.add("it is disabled", format!("gcloud logging sinks update {name} --project={project} --no-disabled"));
    }
    let exclusions = sink["exclusions"].as_array().into_iter().flatten().filter(|exclusion| exclusion["disabled"] != true);
    let exclusions: Vec<String> = exclusions.map(|exclusion| text(&exclusion["name"])).collect();
    if !exclusions.is_empty() {
        mistakes.add(
            format!("it leaves out what {} names", exclusions.join(", ")),
            format!("gcloud logging sinks update {name} --project={project} --clear-exclusions"),
        );
    }
    mistakes.or(format!("{name} takes {} to the topic", paths.join(", ")))
}

/// What a filter of the pixel's entries cannot do without.
fn wanted(url_map: &str, paths: &[String]) -> Vec<String> {
    let load_balancer = ["resource.type=\"http_load_balancer\"".to_owned(), format!("url_map_name=\"{url_map}\"")];
    load_balancer.into_iter().chain(paths.iter().map(|path| format!("requestUrl:\"{path}\""))).collect()
}

/// As deploy.sh writes it.
fn filter(url_map: &str, paths: &[String]) -> String {
    let paths: Vec<String> = paths.iter().map(|path| format!("httpRequest.requestUrl:\"{path}\"")).collect();
    let paths = if paths.len() > 1 { format!("({})", paths.join(" OR ")) } else { paths.concat() };
    format!("resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"{url_map}\" AND {paths}")
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn topic(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, name, .. } = names;
    seen.pubsub.topic.found(&format!("topic {name}"), || format!("gcloud pubsub topics create {name} --project={project}"))?;
    Ok(name.clone())
}

fn grant(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, name, .. } = names;
    let writer = writer(seen.sink.needed(&format!("log sink {name}"))?)?;
    let policies = Policies::new(&seen.pubsub.topic_policy, &seen.project_policy, &format!("topic {name}"))?;
    if policies.grant(writer, &PUBLISHERS) {
        return Ok(format!("{writer} publishes on topic {name}"));
    }
    Err(Fault::wrong(
        format!("{writer}, as which the sink writes, may not publish on topic {name}"),
        format!(
            "gcloud pubsub topics add-iam-policy-binding {name} --project={project} --member={} --role=roles/pubsub.publisher",
            quoted(writer)
        ),
    ))
}

fn writer(sink: &Value) -> Result<&str, Fault> {
    let none = || Fault::Unseen { problem: "the sink does not say as whom it writes".to_owned(), mend: None };
    sink["writerIdentity"].as_str().filter(|writer| !writer.is_empty()).ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_of_several_paths_takes_each() {
        let paths = ["/a.png".to_owned(), "/b.gif".to_owned()];
        let filter = filter("pixel", &paths);
        assert_eq!(
            filter,
            "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"pixel\" AND \
             (httpRequest.requestUrl:\"/a.png\" OR httpRequest.requestUrl:\"/b.gif\")"
        );
        assert!(wanted("pixel", &paths).iter().all(|part| filter.contains(part)));
    }
}
