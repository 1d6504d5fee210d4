//! The environment variables of the service.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Context, service};
use crate::cli::check::defaults::ServiceSetting;
use crate::cli::check::difference::Difference;
use crate::cli::check::link::Fault;
use crate::cli::check::part::{Part, is_resource};
use crate::cli::check::shell::quoted;
use crate::cli::check::state::State;
use crate::config::settings::find;

/// Settings that a deployment gives the service by other means, or not at all.
const OTHERS: [&str; 3] = ["HASH_USER_IDS", "URL_SIGNING_KEY", "PORT"];
const UNSAFE: &str = "everyone who reaches the service can write forged events";

/// A variable that has another value.
struct Wrong {
    name: String,
    problem: String,
    effect: &'static str,
    /// `None`: it must not be set.
    value: Option<String>,
}

/// A variable, compared with those of this command. deploy.sh updates the service if its own settings have changed, but not
/// if the service was changed by hand.
pub(super) fn parts(context: &Context) -> Vec<Part> {
    let names = context.names;
    let resource = format!("service {}", names.service);
    let mut expected = context.settings.to_vec();
    // Without a value, the service takes its own project, and the check of Cloud Run.
    for (name, value, default) in [
        ("GOOGLE_CLOUD_PROJECT", &*names.project, &*names.project),
        ("AUTO_CREATE", "false", "true"),
        ("PUSH_AUTH", "iam", "iam"),
        ("PUSH_SERVICE_ACCOUNT", &*names.push_account, ""),
    ] {
        expected.push(ServiceSetting { name: name.to_owned(), value: value.to_owned(), default: default.to_owned() });
    }
    let update = service::update(context);
    let found = format!("all {} as configured here", expected.len());
    let part = Part::new("service settings", resource.clone(), service::source(context)).found(found);
    let part = context.deployment.secrets.iter().fold(part, |part, &(key, ref secret)| part.rule(has_key(context, key, secret)));
    vec![part.rule(move |service, _| {
        let wrong = wrong(&variables(service), &expected);
        let fix = fix(&update, &wrong);
        let difference =
            |Wrong { problem, effect, .. }| Difference { resource: resource.clone(), problem, effect: effect.to_owned(), fix: fix.clone() };
        Ok(wrong.into_iter().map(difference).collect())
    })]
}

/// The variable of a key has the latest version of the secret. An alias of a secret ends with its name.
fn has_key(context: &Context, key: &'static str, secret: &str) -> impl Fn(&Value, &State) -> Result<Vec<Difference>, Fault> + use<> {
    let (resource, secret) = (format!("service {}", context.names.service), secret.to_owned());
    let fix = format!("{} --update-secrets={key}={secret}:latest", service::update(context));
    move |service, _| {
        let variables = service["spec"]["template"]["spec"]["containers"][0]["env"].as_array().into_iter().flatten();
        let variable = variables.into_iter().find(|variable| variable["name"] == key);
        let source = variable.map(|variable| &variable["valueFrom"]["secretKeyRef"]);
        let is_right = |source: &Value| source["key"] == "latest" && source["name"].as_str().is_some_and(|name| is_resource(name, &secret));
        let difference = || Difference {
            resource: resource.clone(),
            problem: format!("{key} is not the latest version of secret {secret}"),
            effect: "events are stored with another key or without one".to_owned(),
            fix: fix.clone(),
        };
        Ok(if source.is_some_and(is_right) { Vec::new() } else { vec![difference()] })
    }
}

/// A variable of the deployed service.
pub(super) fn variable<'s>(service: &'s Value, name: &str) -> Option<&'s str> {
    variables(service).remove(name)
}

/// Cloud Run leaves out an empty value. The value of a secret is unknown.
fn variables(service: &Value) -> BTreeMap<&str, &str> {
    let variables = service["spec"]["template"]["spec"]["containers"][0]["env"].as_array().into_iter().flatten();
    variables.filter_map(|variable| Some((variable["name"].as_str()?, variable["value"].as_str().unwrap_or_default()))).collect()
}

fn wrong(deployed: &BTreeMap<&str, &str>, expected: &[ServiceSetting]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for ServiceSetting { name, value, default } in expected {
        let has = deployed.get(name.as_str()).copied().unwrap_or(default);
        if has.trim() != value.trim() {
            let problem = format!("{name} is {} and not {}", shown(has), shown(value));
            wrong.push(Wrong { name: name.clone(), problem, effect: effect(name), value: Some(value.clone()) });
        }
    }
    // A setting that only a change by hand can have set.
    for (name, value) in deployed {
        let is_expected = OTHERS.contains(name) || expected.iter().any(|setting| setting.name == *name);
        if let Some(setting) = find(name).filter(|_| !is_expected)
            && value.trim() != setting.default
        {
            let problem = format!("{name} is {}, and the deployment does not set it", shown(value));
            wrong.push(Wrong { name: (*name).to_owned(), problem, effect: effect(name), value: None });
        }
    }
    wrong
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "empty" } else { value }
}

/// One command for all variables.
fn fix(update: &str, wrong: &[Wrong]) -> String {
    let set: Vec<String> = wrong.iter().filter_map(|wrong| Some(format!("{}={}", wrong.name, wrong.value.as_ref()?))).collect();
    let removed: Vec<&str> = wrong.iter().filter(|wrong| wrong.value.is_none()).map(|wrong| wrong.name.as_str()).collect();
    let mut fix = Vec::new();
    if !set.is_empty() {
        // Separated by | because values contain commas.
        fix.push(format!("{update} --update-env-vars={}", quoted(&format!("^|^{}", set.join("|")))));
    }
    if !removed.is_empty() {
        fix.push(format!("{update} --remove-env-vars={}", removed.join(",")));
    }
    fix.join("\n")
}

fn effect(name: &str) -> &'static str {
    match name {
        "PUSH_AUTH" | "PUSH_AUTH_FORCE" | "PUSH_SERVICE_ACCOUNT" | "PUSH_AUDIENCE" | "PUSH_JWKS_URL" => UNSAFE,
        "GOOGLE_CLOUD_PROJECT"
        | "PROJECT_ID"
        | "DATASET"
        | "TABLE_NAME"
        | "TABLE_SUFFIX"
        | "BIGQUERY_ENDPOINT"
        | "BIGQUERY_EMULATOR_HOST" => "events are stored in other tables",
        "VALID_ATTRIBUTES" => "parameters are not stored, or events are refused",
        "PIXEL_PATH" | "METHODS" | "STATUS" => "requests are not counted, or others are",
        "IP_ANONYMIZATION" | "HASH_ATTRIBUTES" | "RESPECT_OPT_OUT" => "personal data is stored that should not be, or the reverse",
        "MAX_IN_FLIGHT" | "MAX_IN_FLIGHT_BYTES" => "pushes are rejected with 429, or an instance ends without memory",
        "PUSH_DEADLINE" => "messages in progress are delivered again, or fail too early",
        "LOG_FORMAT" | "RUST_LOG" => "alerts and dashboard, which read the log, have no values",
        _ => "the service does not work as configured here",
    }
}
