//! Google's uptime checks of the pixel, one for each host.

use serde_json::Value;

use super::hosts::Hosts;
use super::{Context, monitoring_files};
use crate::cli::check::difference::{Difference, compare};
use crate::cli::check::part::Part;
use crate::cli::check::state::Source;
use crate::google::list;

const LINK: &str = "uptime checks";

/// The hosts of the user's own load balancer are known by DOMAIN only.
pub(super) fn has_checks(context: &Context) -> bool {
    !context.domains().is_empty() || context.url_map().is_none()
}

pub(super) fn parts(context: &Context) -> Vec<Part> {
    if !has_checks(context) {
        return Vec::new();
    }
    let names = context.names;
    let hosts = Hosts::of(context);
    let source = Source::list(&list::UPTIME_CHECKS, format!("v3/projects/{}/uptimeCheckConfigs", names.project));
    // An address has no certificate.
    let file = if context.domains().is_empty() { "uptime/http.json" } else { "uptime/https.json" };
    let paths = context.deployment.service.template.decode.requests.paths.texts();
    let Some(text) = monitoring_files::file(file, context).map(|file| file.to_string().replace("${PATH}", &paths[0])) else {
        return vec![Part::new(LINK, LINK, source).rule(|_, _| Err(monitoring_files::missing()))];
    };
    let (pipeline, deploy) = (Value::from(names.name.as_str()), names.deploy.clone());
    let part = Part::new(LINK, LINK, source).found("each host of the pixel").needs(hosts.address.clone());
    vec![part.rule(move |checks, state| {
        let ours: Vec<&Value> =
            checks.as_array().into_iter().flatten().filter(|check| check["userLabels"]["pipeline"] == pipeline).collect();
        let mut differences = Vec::new();
        for host in hosts.list(state)? {
            let mut add = |problem: String| {
                let effect = "nobody is told when the pixel is not served".to_owned();
                differences.push(Difference { resource: format!("uptime check of {host}"), problem, effect, fix: deploy.clone() });
            };
            let expected: Value = serde_json::from_str(&text.replace("${HOST}", &host)).unwrap_or_default();
            match ours.iter().find(|check| check["monitoredResource"]["labels"]["host"] == host.as_str()) {
                None => add("it does not exist".to_owned()),
                Some(check) => compare("", check, &expected).into_iter().for_each(|member| add(member.problem())),
            }
        }
        Ok(differences)
    })]
}
