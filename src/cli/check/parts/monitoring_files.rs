//! The files of deploy/monitoring, with the settings in their placeholders.
//!
//! The image of the service is built without them: the folder is not part of its sources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Context;
use crate::cli::check::link::Fault;
use crate::config::settings::SETTINGS;

macro_rules! files {
    ($(#[$feature:meta])? $folder:ident: $($name:literal)+) => {
        $(#[$feature])?
        const $folder: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../../deploy/monitoring/", $name)))),+];
    };
}

files! { #[cfg(feature = "local")] METRICS:
    "metrics/deliveries.json"
    "metrics/end_to_end.json"
    "metrics/insert_failures.json"
    "metrics/insert_rows.json"
    "metrics/inserts.json"
    "metrics/overflow.json"
}
files! { #[cfg(feature = "local")] ALERTS:
    "alerts/backlog-1-day.json"
    "alerts/backlog-5-days.json"
    "alerts/certificate.json"
    "alerts/configuration.json"
    "alerts/dead-letters.json"
    "alerts/no-events.json"
    "alerts/oldest-unacked.json"
    "alerts/overflow.json"
    "alerts/pixel-down.json"
    "alerts/retry-ratio.json"
    "alerts/slo-fast-burn.json"
    "alerts/slo-slow-burn.json"
    "alerts/table-refused.json"
    "alerts/unpublished.json"
    "alerts/unstored.json"
}
files! { #[cfg(feature = "local")] OTHERS:
    "dashboard.json"
    "slo/objective.json"
    "slo/service.json"
    "uptime/http.json"
    "uptime/https.json"
}
#[cfg(not(feature = "local"))]
const METRICS: &[(&str, &str)] = &[];
#[cfg(not(feature = "local"))]
const ALERTS: &[(&str, &str)] = &[];
#[cfg(not(feature = "local"))]
const OTHERS: &[(&str, &str)] = &[];

pub(super) fn metrics(context: &Context) -> Vec<Value> {
    METRICS.iter().map(|(_, text)| parse(text, context)).collect()
}

/// Name and text of each alert. The placeholders of the hosts are not filled yet.
pub(super) fn alerts(context: &Context) -> Vec<(&'static str, String)> {
    let placeholders = placeholders(context);
    let name = |path: &'static str| path.trim_start_matches("alerts/").trim_end_matches(".json");
    ALERTS.iter().map(|(path, text)| (name(path), fill(text, &placeholders))).collect()
}

/// Another file of the folder.
pub(super) fn file(path: &str, context: &Context) -> Option<Value> {
    OTHERS.iter().find(|(known, _)| *known == path).map(|(_, text)| parse(text, context))
}

/// What a build without the files reports.
pub(super) fn missing() -> Fault {
    Fault::unknown("this program was built without the files of deploy/monitoring: run the program of a release, or `cargo run -- check`")
}

/// A text with placeholders such as ${PIPELINE}.
pub(super) fn fill(text: &str, placeholders: &BTreeMap<String, String>) -> String {
    placeholders.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// The settings of the deployment by name.
pub(super) fn placeholders(context: &Context) -> BTreeMap<String, String> {
    let deployed = SETTINGS.iter().filter(|setting| setting.deployed.is_some());
    let mut values: BTreeMap<String, String> =
        deployed.map(|setting| (setting.name.to_owned(), context.text(setting).to_owned())).collect();
    values.insert("PROJECT_ID".to_owned(), context.names.project.clone());
    values
}

fn parse(text: &str, context: &Context) -> Value {
    serde_json::from_str(&fill(text, &placeholders(context))).expect("a test reads each file")
}

#[cfg(all(test, feature = "local"))]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_listed_and_is_json() {
        for (folder, files) in [("metrics", METRICS), ("alerts", ALERTS)] {
            let path = format!("{}/deploy/monitoring/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut found: Vec<String> =
                std::fs::read_dir(path).unwrap().map(|file| format!("{folder}/{}", file.unwrap().file_name().to_str().unwrap())).collect();
            found.sort();
            assert_eq!(files.iter().map(|(name, _)| *name).collect::<Vec<_>>(), found, "add the file to the list above");
        }
        for (name, text) in [METRICS, ALERTS, OTHERS].concat() {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{name}");
        }
    }
}
