//! The log-based metrics, which alerts and dashboard read.

use serde_json::Value;

use super::{Context, monitoring_files};
use crate::cli::check::part::{Expected, Part};
use crate::cli::check::shell::quoted;
use crate::cli::check::state::Source;
use crate::google::Api;

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let metrics = monitoring_files::metrics(context);
    if metrics.is_empty() {
        let list = Source::get(Api::Logging, format!("v2/projects/{}/sinks/_Default", context.names.project));
        return vec![Part::new("log-based metrics", "log-based metrics", list).rule(|_, _| Err(monitoring_files::missing()))];
    }
    metrics.into_iter().map(|metric| part(context, metric)).collect()
}

fn part(context: &Context, metric: Value) -> Part {
    let (project, name) = (&context.names.project, metric["name"].as_str().unwrap_or_default().to_owned());
    let effect = "alerts and dashboard have wrong values or none";
    let command = |verb: &str| {
        format!("echo {} | gcloud logging metrics {verb} {name} --project={project} --config-from-file=-", quoted(&metric.to_string()))
    };
    let (create, update) = (command("create"), command("update"));
    let source = Source::get(Api::Logging, format!("v2/projects/{project}/metrics/{name}"));
    Part::new("log-based metrics", format!("log-based metric {name}"), source)
        .found(&*name)
        .required(effect, create)
        .update(update.clone())
        .member_fixed_by("/disabled", Expected::Unset, effect, update)
        .member("", Expected::Is(metric), effect)
}
