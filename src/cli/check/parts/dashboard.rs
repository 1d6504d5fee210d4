//! The dashboard.

use super::{Context, monitoring_files};
use crate::cli::check::part::{Expected, Part};
use crate::cli::check::state::Source;
use crate::google::Api;

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let names = context.names;
    let name = format!("projects/{}/dashboards/{}", names.project, names.service);
    let part = Part::new("dashboard", format!("dashboard {}", names.service), Source::get(Api::Monitoring, format!("v1/{name}")));
    let Some(mut dashboard) = monitoring_files::file("dashboard.json", context) else {
        return vec![part.rule(|_, _| Err(monitoring_files::missing()))];
    };
    // The API names the project by its number.
    if let Some(members) = dashboard.as_object_mut() {
        members.remove("name");
    }
    let fix = format!("gcloud monitoring dashboards delete {name} --project={} --quiet\n{}", names.project, names.deploy);
    let effect = "its charts are wrong or missing";
    vec![part.required("an operator has no charts", &names.deploy).update(fix).member("", Expected::Is(dashboard), effect)]
}
