//! From the log entry to the topic: the sink, its permission to publish, and the exclusion from the _Default bucket.

use serde_json::{Value, json};

use super::Context;
use super::topic::PUBLISHERS;
use crate::cli::check::difference::{Difference, compare, is_default};
use crate::cli::check::link::Fault;
use crate::cli::check::part::{Expected, Part, is};
use crate::cli::check::policy::{Command, Grant, Member};
use crate::cli::check::shell::quoted;
use crate::cli::check::state::{Source, State};
use crate::config::settings::EXCLUDE_FROM_DEFAULT;
use crate::google::Api;

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let names = context.names;
    let destination = format!("pubsub.googleapis.com/{}", names.topic_path());
    let sink = sink(context, "log sink", &names.name, &destination, "the requests for the pixel never become events");
    vec![sink, publisher(context), exclusion(context)]
}

pub(super) fn source(context: &Context, sink: &str) -> Source {
    Source::get(Api::Logging, format!("v2/projects/{}/sinks/{sink}", context.names.project))
}

/// A sink of the pixel's entries.
pub(super) fn sink(context: &Context, link: &'static str, sink: &str, destination: &str, effect: &'static str) -> Part {
    let project = &context.names.project;
    let arguments = format!("{sink} {destination} --project={project} --log-filter={}", quoted(&filter(context)));
    let update = format!("gcloud logging sinks update {arguments}");
    let part = Part::new(link, format!("log sink {sink}"), source(context, sink))
        .required(effect, format!("gcloud logging sinks create {arguments}"))
        .update(update)
        .member("/destination", is(destination), effect)
        .member("/filter", is(filter(context)), "it sends other entries than those of the pixel, or not all of them")
        .member_fixed_by(
            "/disabled",
            Expected::Unset,
            effect,
            format!("gcloud logging sinks update {sink} --project={project} --no-disabled"),
        )
        .member_fixed_by(
            "/exclusions",
            Expected::Unset,
            "entries that match them are lost",
            format!("gcloud logging sinks update {sink} --project={project} --clear-exclusions"),
        );
    let fix = format!("gcloud logging sinks update {sink} --project={project} --description={}", quoted(&context.names.mark()));
    context.marked(part, fix)
}

/// The filter of the pixel's entries: those of our load balancer, for one of our paths, without the requests of Cloud CDN's
/// own, which no visitor made.
pub(super) fn filter(context: &Context) -> String {
    let paths = context.deployment.service.template.decode.requests.paths.texts();
    let paths: Vec<String> = paths.iter().map(|path| format!("httpRequest.requestUrl:\"{path}\"")).collect();
    let paths = if paths.len() > 1 { format!("({})", paths.join(" OR ")) } else { paths.concat() };
    format!(
        "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"{}\" AND {paths} AND NOT jsonPayload.parentInsertId:* \
         AND NOT httpRequest.userAgent:\"Cloud-CDN-Google\"",
        context.url_map().unwrap_or(&context.names.name)
    )
}

fn publisher(context: &Context) -> Part {
    let (project, name) = (&context.names.project, &context.names.name);
    Grant {
        link: "sink publisher",
        resource: format!("topic {name}"),
        policy: super::topic::policy(context, name),
        member: writer(context, name),
        roles: &PUBLISHERS,
        effect: "the sink cannot publish, and the requests for the pixel never become events",
        command: Command { group: "pubsub topics", resource: format!("{name} --project={project}") },
        found: format!("the sink can publish to topic {name}"),
    }
    .part(context)
}

/// The account that a sink writes as.
pub(super) fn writer(context: &Context, sink: &str) -> Member {
    let (source, resource) = (source(context, sink), format!("log sink {sink}"));
    let needed = source.clone();
    Member::Of(
        source,
        Box::new(move |state| {
            let writer = state.needed(&needed, &resource)?["writerIdentity"].as_str().filter(|writer| !writer.is_empty());
            writer.map(str::to_owned).ok_or_else(|| Fault::unknown(format!("{resource} has no writerIdentity")))
        }),
    )
}

/// The sink reads the entries before exclusions apply.
fn exclusion(context: &Context) -> Part {
    let (project, name) = (context.names.project.clone(), context.names.name.clone());
    let is_wanted = context.deployment.service.values.boolean(&EXCLUDE_FROM_DEFAULT);
    let (filter, mark) = (filter(context), context.names.mark());
    let url_map = format!("\"{}\"", context.url_map().unwrap_or(&name));
    let found = if is_wanted {
        "the pixel's entries are not stored in the _Default bucket"
    } else {
        "the pixel's entries are stored in the _Default bucket"
    };
    Part::new("log exclusion", "log sink _Default", source(context, "_Default")).found(found).rule(move |sink: &Value, _: &State| {
        let update = |flag: &str| format!("gcloud logging sinks update _Default --project={project} {flag}");
        let argument = quoted(&format!("name={name},filter={filter}"));
        let difference = |problem: String, effect: &str, fix: String| Difference {
            resource: format!("exclusion {name} of log sink _Default"),
            problem,
            effect: effect.to_owned(),
            fix,
        };
        let exclusions = sink["exclusions"].as_array().into_iter().flatten();
        let ours = exclusions.filter(|exclusion| exclusion["name"] == name.as_str()).collect::<Vec<_>>();
        Ok(match (ours.first(), is_wanted) {
            (None, true) => vec![difference(
                "it does not exist".to_owned(),
                "Cloud Logging stores the pixel's entries, which costs more than the rest of the pipeline",
                update(&format!("--add-exclusion={argument}")),
            )],
            (Some(_), false) => vec![difference(
                "it exists".to_owned(),
                "the pixel's entries are not in the _Default bucket",
                update(&format!("--remove-exclusions={name}")),
            )],
            (Some(exclusion), true) => {
                let mut expected = json!({"filter": filter, "disabled": false});
                // Older versions of deploy.sh did not set it.
                if !is_default(&exclusion["description"]) {
                    expected["description"] = json!(mark);
                }
                let is_wide = !exclusion["filter"].as_str().is_some_and(|filter| filter.contains(&url_map));
                let effect = if is_wide {
                    "entries of others are not stored, too"
                } else {
                    "Cloud Logging stores entries of the pixel, which costs more than the rest of the pipeline, or loses others"
                };
                let members = compare("", exclusion, &expected).into_iter();
                members.map(|member| difference(member.problem(), effect, update(&format!("--update-exclusion={argument}")))).collect()
            }
            (None, false) => Vec::new(),
        })
    })
}
