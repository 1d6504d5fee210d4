//! The Cloud Run service: that it runs, as whom, with which settings, and who reaches it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::defaults::ServiceSetting;
use super::link::{Fault, Link, Mistakes, Verdict};
use super::names::Names;
use super::pixel::text;
use super::policy::Policies;
use super::seen::Seen;
use super::shell::quoted;

/// Roles that may call the service.
const INVOKERS: [&str; 5] = ["roles/run.invoker", "roles/run.servicesInvoker", "roles/run.admin", "roles/editor", "roles/owner"];

pub(crate) fn links(seen: &Seen, names: &Names, settings: &[ServiceSetting]) -> Vec<Link> {
    vec![
        Link::new("service", service(seen, names)),
        Link::new("service account", account(seen, names)),
        Link::new("service settings", environment(seen, names, settings)),
        Link::new("push may invoke", invoker(seen, names)),
        Link::new("nobody else may", nobody_else(seen, names)),
    ]
}

fn service(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, region, service: name, deploy, .. } = names;
    let service = seen.service.found(&format!("service {name} in {region}"), || deploy.clone())?;
    let conditions = service["status"]["conditions"].as_array().into_iter().flatten();
    let not_ready = conditions.into_iter().find(|condition| condition["type"] == "Ready" && condition["status"] != "True");
    if let Some(condition) = not_ready {
        return Err(Fault::wrong(
            format!("the newest revision is not ready: {}", text(&condition["message"])),
            format!("gcloud run services logs read {name} --project={project} --region={region} --limit=50"),
        ));
    }
    Ok(format!("{name} at {}", text(&service["status"]["url"])))
}

fn account(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, region, service: name, run_account, .. } = names;
    let account = &template(seen, names)?["serviceAccountName"];
    if account == run_account.as_str() {
        return Ok(run_account.clone());
    }
    Err(Fault::wrong(
        format!("it runs as {} and not as {run_account}", text(account)),
        format!("gcloud run services update {name} --project={project} --region={region} --service-account={run_account}"),
    ))
}

/// The service goes by what it was told when it was deployed last. deploy.sh would tell it again if the settings
/// have changed since, and not if somebody has changed the service by hand; this mends both.
fn environment(seen: &Seen, names: &Names, settings: &[ServiceSetting]) -> Verdict {
    let variables = &template(seen, names)?["containers"][0]["env"];
    let told: BTreeMap<&str, &str> = variables
        .as_array()
        .into_iter()
        .flatten()
        // An empty value is left out.
        .filter_map(|variable| Some((variable["name"].as_str()?, variable["value"].as_str().unwrap_or_default())))
        .collect();
    let mut differences = Vec::new();
    for ServiceSetting { name, given, default } in settings {
        let has = told.get(name.as_str()).copied().unwrap_or(default);
        if has.trim() != given.trim() {
            differences.push((name.as_str(), has, given.as_str()));
        }
    }
    let project = told.get("GOOGLE_CLOUD_PROJECT").copied().unwrap_or(&names.project);
    if project != names.project {
        differences.push(("GOOGLE_CLOUD_PROJECT", project, &names.project));
    }
    if differences.is_empty() {
        return Ok(format!("all {} as they are here", settings.len()));
    }
    let Names { project, region, service: name, .. } = names;
    let problems: Vec<String> = differences.iter().map(|(name, has, given)| format!("{name} is {has} there and {given} here")).collect();
    let variables: Vec<String> = differences.iter().map(|(name, _, given)| format!("{name}={given}")).collect();
    // Between | and not commas, of which values have some.
    let variables = quoted(&format!("^|^{}", variables.join("|")));
    Err(Fault::wrong(
        problems.join("; "),
        format!("gcloud run services update {name} --project={project} --region={region} --update-env-vars={variables}"),
    ))
}

fn invoker(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, region, service: name, push_account, .. } = names;
    let policies = Policies::new(&seen.service_policy, &seen.project_policy, &format!("service {name}"))?;
    let member = format!("serviceAccount:{push_account}");
    if policies.grant(&member, &INVOKERS) {
        return Ok(format!("{push_account} may call {name}"));
    }
    Err(Fault::wrong(
        format!("{push_account}, which signs the pushes, may not call {name}: they are answered 403"),
        format!(
            "gcloud run services add-iam-policy-binding {name} --project={project} --region={region} --member={member} --role=roles/run.invoker"
        ),
    ))
}

/// Whoever reaches the service can write events.
fn nobody_else(seen: &Seen, names: &Names) -> Verdict {
    let Names { project, region, service: name, .. } = names;
    let policies = Policies::new(&seen.service_policy, &seen.project_policy, &format!("service {name}"))?;
    let mut mistakes = Mistakes::default();
    for (member, role) in policies.public() {
        mistakes.add(
            format!("{member} has {role}"),
            format!(
                "gcloud run services remove-iam-policy-binding {name} --project={project} --region={region} --member={member} --role={role}"
            ),
        );
    }
    let service = seen.service.needed(&format!("service {name}"))?;
    // Checked before the request, which the network may keep from us.
    if service["metadata"]["annotations"]["run.googleapis.com/invoker-iam-disabled"] == "true" {
        mistakes.add(
            "it does not ask for a token",
            format!("gcloud run services update {name} --project={project} --region={region} --invoker-iam-check"),
        );
    }
    let found = mistakes.or("without a token, it answers")?;
    match &seen.stranger {
        Some(Ok(status)) if matches!(status.as_u16(), 401 | 403 | 404) => Ok(format!("{found} {}", status.as_u16())),
        Some(Ok(status)) => Err(Fault::wrong(
            format!("without a token, it answers {}", status.as_u16()),
            format!("gcloud run services update {name} --project={project} --region={region} --ingress=internal --invoker-iam-check"),
        )),
        Some(Err(error)) => Err(Fault::Unseen { problem: format!("it cannot be asked without a token: {error}"), mend: None }),
        None => Err(Fault::Unseen { problem: "the service has no URL yet".to_owned(), mend: None }),
    }
}

/// What revisions are made of.
fn template<'s>(seen: &'s Seen, names: &Names) -> Result<&'s Value, Fault> {
    Ok(&seen.service.needed(&format!("service {}", names.service))?["spec"]["template"]["spec"])
}
