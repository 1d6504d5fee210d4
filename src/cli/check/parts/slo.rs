//! The service level objective in Cloud Monitoring.

use serde_json::Value;

use super::{Context, monitoring_files};
use crate::cli::check::part::{Part, is};
use crate::cli::check::state::Source;
use crate::google::Api;

const LINK: &str = "objective";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let names = context.names;
    let service = format!("v3/projects/{}/services/{}", names.project, names.service);
    let objective = format!("{service}/serviceLevelObjectives/stored");
    let part = |resource: String, path: &str, file: Option<Value>| {
        let part = Part::new(LINK, resource, Source::get(Api::Monitoring, path));
        let Some(file) = file else { return part.rule(|_, _| Err(monitoring_files::missing())) };
        let effect = "the alerts about the objective do not fire, or fire for another objective";
        part.required(effect, &names.deploy).update(&names.deploy).member("", is(file), effect)
    };
    vec![
        part(format!("service {} in Cloud Monitoring", names.service), &service, monitoring_files::file("slo/service.json", context))
            .found(""),
        part("objective stored".to_owned(), &objective, monitoring_files::file("slo/objective.json", context)),
    ]
}
