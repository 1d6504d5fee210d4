//! The alert policies, and the channels that they notify.

use serde_json::{Value, json};

use super::hosts::Hosts;
use super::{Context, monitoring_files, uptime};
use crate::cli::check::difference::Difference;
use crate::cli::check::link::Fault;
use crate::cli::check::part::{Expected, Part, condition, is};
use crate::cli::check::state::{Source, State};
use crate::config::settings::{ALERT_CHANNELS, ALERT_EMAIL, NO_EVENTS_AFTER};
use crate::google::list;

const LINK: &str = "alerts";
const UNTOLD: &str = "nobody is told of the fault";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    let alerts: Vec<(String, String)> = monitoring_files::alerts(context)
        .into_iter()
        .filter(|(name, _)| is_made(context, name))
        .map(|(_, text)| (title(&text), text))
        .collect();
    let titles = alerts.iter().map(|(title, _)| title.clone()).collect();
    let policies = alerts.into_iter().map(|(title, text)| part(context, title, text));
    emails(context).map(|email| channel(context, email)).chain(policies).chain([others(context, titles)]).collect()
}

/// Whether the settings need the alert.
fn is_made(context: &Context, name: &str) -> bool {
    match name {
        "no-events" => context.text(&NO_EVENTS_AFTER) != "off",
        "certificate" => !context.domains().is_empty(),
        "pixel-down" => uptime::has_checks(context),
        _ => true,
    }
}

fn title(text: &str) -> String {
    let alert: Value = serde_json::from_str(text).unwrap_or_default();
    alert["displayName"].as_str().unwrap_or_default().to_owned()
}

fn policies(context: &Context) -> Source {
    Source::list(&list::ALERT_POLICIES, format!("v3/projects/{}/alertPolicies", context.names.project))
}

fn channel_source(context: &Context, email: &str) -> Source {
    Source::list(&list::NOTIFICATION_CHANNELS, format!("v3/projects/{}/notificationChannels", context.names.project))
        .item(vec![("/labels/email_address", email.to_owned()), ("/userLabels/pipeline", context.names.name.clone())])
}

fn emails<'c>(context: &'c Context) -> impl Iterator<Item = &'c str> {
    context.text(&ALERT_EMAIL).split(',').map(str::trim).filter(|email| !email.is_empty())
}

fn channel(context: &Context, email: &str) -> Part {
    let enabled = condition("true", |enabled| enabled.is_null() || enabled == true);
    Part::new(LINK, format!("notification channel of {email}"), channel_source(context, email))
        .found(format!("to {email}"))
        .required(UNTOLD, &context.names.deploy)
        .member("/type", is("email"), UNTOLD)
        .member("/enabled", enabled, UNTOLD)
        .member("/displayName", is(format!("{}: {email}", context.names.name)), Context::LABEL_EFFECT)
}

fn part(context: &Context, name: String, text: String) -> Part {
    let (names, hosts) = (context.names, Hosts::of(context));
    let address = hosts.address.clone();
    let alert = move |state: &State| {
        let text = hosts.fill(&text, state)?;
        serde_json::from_str(&text).map_err(|error| Fault::unknown(format!("cannot read the file of an alert: {error}")))
    };
    let source = policies(context).item(vec![("/displayName", name.clone()), ("/userLabels/pipeline", names.name.clone())]);
    let resource = format!("alert \"{name}\"");
    let list = format!(
        "gcloud alpha monitoring policies list --project={} --filter='displayName=\"{name}\"' --format='value(name)'",
        names.project
    );
    let update = format!("gcloud alpha monitoring policies update \"$({list})\"");
    // deploy.sh updates a policy if its label differs, and keeps the channels that were added by hand.
    let fix = format!("{update} --update-user-labels=file=changed\n{}", names.deploy);
    let enabled = condition("true", |enabled| enabled.is_null() || enabled == true);
    let part = Part::new(LINK, resource.clone(), source)
        .found("")
        .required(UNTOLD, &names.deploy)
        .update(fix)
        .member_fixed_by("/enabled", enabled, UNTOLD, format!("{update} --enabled"))
        .needs(address)
        .member("", Expected::From(Box::new(alert)), "it fires for another reason, later or never, or explains another fault");
    let channels: Vec<Value> =
        context.text(&ALERT_CHANNELS).split(',').map(str::trim).filter(|name| !name.is_empty()).map(Value::from).collect();
    let (policy, deploy) = (resource.clone(), names.deploy.clone());
    let part = part.rule(move |found, _| {
        let has = |channel: &&Value| found["notificationChannels"].as_array().into_iter().flatten().any(|other| other == *channel);
        let difference = |channel: &Value| Difference {
            resource: policy.clone(),
            problem: format!("it does not notify the channel {channel} of ALERT_CHANNELS"),
            effect: UNTOLD.to_owned(),
            fix: deploy.clone(),
        };
        Ok(channels.iter().filter(|channel| !has(channel)).map(difference).collect())
    });
    emails(context).fold(part, |part, email| {
        let (channel, resource, deploy) = (channel_source(context, email), resource.clone(), names.deploy.clone());
        let (needed, email) = (channel.clone(), email.to_owned());
        part.needs(channel).rule(move |policy, state| {
            // Without a channel there is another difference.
            let Some(channel) = state.get(&needed)? else { return Ok(Vec::new()) };
            let is_notified = policy["notificationChannels"].as_array().into_iter().flatten().any(|other| *other == channel["name"]);
            let difference = || Difference {
                resource: resource.clone(),
                problem: format!("it does not notify {email}"),
                effect: UNTOLD.to_owned(),
                fix: deploy.clone(),
            };
            Ok(if is_notified { Vec::new() } else { vec![difference()] })
        })
    })
}

/// Policies of other versions of deploy.sh. They have the name of the pipeline in their titles.
fn others(context: &Context, names: Vec<String>) -> Part {
    let (project, pipeline, count) = (context.names.project.clone(), json!(context.names.name), names.len());
    let prefix = format!("{}: ", context.names.name);
    Part::new(LINK, "alerts", policies(context)).found(format!("{count} alert policies")).rule(move |policies, _| {
        if count == 0 {
            return Err(monitoring_files::missing());
        }
        let ours = policies.as_array().into_iter().flatten().filter(|policy| policy["userLabels"]["pipeline"] == pipeline);
        let is_of_other_version = |title: &str| title.starts_with(&prefix) && !names.iter().any(|known| known == title);
        let unknown = ours.filter(|policy| policy["displayName"].as_str().is_some_and(is_of_other_version));
        let difference = |policy: &Value| Difference {
            resource: format!("alert {}", policy["displayName"]),
            problem: "this version does not make it".to_owned(),
            effect: "it may never fire, or fire for nothing".to_owned(),
            fix: format!(
                "gcloud alpha monitoring policies delete {} --project={project} --quiet",
                policy["name"].as_str().unwrap_or_default()
            ),
        };
        Ok(unknown.map(difference).collect())
    })
}
