//! The Cloud Run service: that it is ready, its account, its settings, and who can invoke it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::defaults::ServiceSetting;
use super::link::{Fault, Link, LinkProblems, Verdict};
use super::names::ResourceNames;
use super::policy::Policies;
use super::shell::quoted;
use super::state::DeploymentState;
use super::text;

/// Roles that permit to invoke the service.
const INVOKERS: [&str; 5] = ["roles/run.invoker", "roles/run.servicesInvoker", "roles/run.admin", "roles/editor", "roles/owner"];

pub(crate) fn links(state: &DeploymentState, names: &ResourceNames, settings: &[ServiceSetting]) -> Vec<Link> {
    vec![
        Link::new("service", service(state, names)),
        Link::new("service account", account(state, names)),
        Link::new("service settings", environment(state, names, settings)),
        Link::new("push invoker", invoker(state, names)),
        Link::new("unauthenticated access", unauthenticated(state, names)),
    ]
}

fn service(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, region, service: name, deploy, .. } = names;
    let service = state.service.found(&format!("service {name} in {region}"), || deploy.clone())?;
    let conditions = service["status"]["conditions"].as_array().into_iter().flatten();
    let not_ready = conditions.into_iter().find(|condition| condition["type"] == "Ready" && condition["status"] != "True");
    if let Some(condition) = not_ready {
        return Err(Fault::broken(
            format!("the newest revision is not ready: {}", text(&condition["message"])),
            format!("gcloud run services logs read {name} --project={project} --region={region} --limit=50"),
        ));
    }
    Ok(format!("{name} at {}", text(&service["status"]["url"])))
}

fn account(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, region, service: name, run_account, .. } = names;
    let account = &template(state, names)?["serviceAccountName"];
    if account == run_account.as_str() {
        return Ok(run_account.clone());
    }
    Err(Fault::broken(
        format!("it runs as {} and not as {run_account}", text(account)),
        format!("gcloud run services update {name} --project={project} --region={region} --service-account={run_account}"),
    ))
}

/// Compares the deployed settings with those of this command. deploy.sh updates the service if its own settings have
/// changed, but not if the service was changed by hand. The command in the fault fixes both cases.
fn environment(state: &DeploymentState, names: &ResourceNames, settings: &[ServiceSetting]) -> Verdict {
    let variables = &template(state, names)?["containers"][0]["env"];
    let deployed: BTreeMap<&str, &str> = variables
        .as_array()
        .into_iter()
        .flatten()
        // Cloud Run leaves out an empty value.
        .filter_map(|variable| Some((variable["name"].as_str()?, variable["value"].as_str().unwrap_or_default())))
        .collect();
    let mut differences = Vec::new();
    for ServiceSetting { name, value, default } in settings {
        let has = deployed.get(name.as_str()).copied().unwrap_or(default);
        if has.trim() != value.trim() {
            differences.push((name.as_str(), has, value.as_str()));
        }
    }
    let project = deployed.get("GOOGLE_CLOUD_PROJECT").copied().unwrap_or(&names.project);
    if project != names.project {
        differences.push(("GOOGLE_CLOUD_PROJECT", project, &names.project));
    }
    if differences.is_empty() {
        return Ok(format!("all {} as configured here", settings.len()));
    }
    let ResourceNames { project, region, service: name, .. } = names;
    let problems: Vec<String> =
        differences.iter().map(|(name, has, value)| format!("{name} is {has} in the service and {value} here")).collect();
    let variables: Vec<String> = differences.iter().map(|(name, _, value)| format!("{name}={value}")).collect();
    // Separated by | because values contain commas.
    let variables = quoted(&format!("^|^{}", variables.join("|")));
    Err(Fault::broken(
        problems.join("; "),
        format!("gcloud run services update {name} --project={project} --region={region} --update-env-vars={variables}"),
    ))
}

fn invoker(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, region, service: name, push_account, .. } = names;
    let policies = Policies::new(&state.service_policy, &state.project_policy, &format!("service {name}"))?;
    let member = format!("serviceAccount:{push_account}");
    if policies.grant(&member, &INVOKERS) {
        return Ok(format!("{push_account} can invoke {name}"));
    }
    Err(Fault::broken(
        format!("push account {push_account} cannot invoke {name}, so pushes are answered 403"),
        format!(
            "gcloud run services add-iam-policy-binding {name} --project={project} --region={region} --member={member} --role=roles/run.invoker"
        ),
    ))
}

/// Checks that a caller without a token is rejected: it could write events.
fn unauthenticated(state: &DeploymentState, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, region, service: name, .. } = names;
    let policies = Policies::new(&state.service_policy, &state.project_policy, &format!("service {name}"))?;
    let mut problems = LinkProblems::default();
    for (member, role) in policies.public() {
        problems.add(
            format!("{member} has {role}"),
            format!(
                "gcloud run services remove-iam-policy-binding {name} --project={project} --region={region} --member={member} --role={role}"
            ),
        );
    }
    let service = state.service.needed(&format!("service {name}"))?;
    // Before the request's result: the network may block the request.
    if service["metadata"]["annotations"]["run.googleapis.com/invoker-iam-disabled"] == "true" {
        problems.add(
            "it accepts requests without a token",
            format!("gcloud run services update {name} --project={project} --region={region} --invoker-iam-check"),
        );
    }
    let found = problems.or("a request without a token is answered")?;
    match &state.unauthenticated {
        Some(Ok(status)) if matches!(status.as_u16(), 401 | 403 | 404) => Ok(format!("{found} {}", status.as_u16())),
        Some(Ok(status)) => Err(Fault::broken(
            format!("a request without a token is answered {}", status.as_u16()),
            format!("gcloud run services update {name} --project={project} --region={region} --ingress=internal --invoker-iam-check"),
        )),
        Some(Err(error)) => Err(Fault::unknown(format!("cannot send a request without a token: {error}"))),
        None => Err(Fault::unknown("the service has no URL yet".to_owned())),
    }
}

/// The template of the service's revisions.
fn template<'s>(state: &'s DeploymentState, names: &ResourceNames) -> Result<&'s Value, Fault> {
    Ok(&state.service.needed(&format!("service {}", names.service))?["spec"]["template"]["spec"])
}
