//! The Cloud Run service: its instances, its account, and who can invoke it.

use serde_json::{Value, json};

use super::{Context, environment, image};
use crate::cli::check::difference::{Difference, text};
use crate::cli::check::link::Fault;
use crate::cli::check::part::{Expected, Part, condition, is};
use crate::cli::check::policy::{Command, Grant, Member, not_public};
use crate::cli::check::state::{Source, State};
use crate::config::settings::{CONCURRENCY, CPU, MAX_IN_FLIGHT, MAX_INSTANCES, MEMORY, MIN_INSTANCES};
use crate::google::Api;

/// Roles that permit to invoke the service.
const INVOKERS: [&str; 5] = ["roles/run.invoker", "roles/run.servicesInvoker", "roles/run.admin", "roles/editor", "roles/owner"];
/// The timeout of a request in a deployment, in seconds: the ack deadline.
const TIMEOUT: u64 = 60;
/// The container in a service.
const CONTAINER: &str = "/spec/template/spec/containers/0";

pub(super) fn parts(context: &Context) -> Vec<Part> {
    vec![service(context), invoker(context), unauthenticated(context)]
}

pub(crate) fn source(context: &Context) -> Source {
    let names = context.names;
    Source::get(Api::Run, format!("apis/serving.knative.dev/v1/namespaces/{}/services/{}", names.project, names.service))
}

/// The service's URL.
pub(super) fn url<'s>(state: &'s State, source: &Source) -> Result<&'s str, Fault> {
    state.needed(source, "service")?["status"]["url"].as_str().ok_or_else(|| Fault::unknown("the service has no URL yet"))
}

pub(super) fn update(context: &Context) -> String {
    let names = context.names;
    format!("gcloud run services update {} --project={} --region={}", names.service, names.project, names.region)
}

fn service(context: &Context) -> Part {
    let names = context.names;
    let (name, pipeline, run_account) = (&names.service, &names.name, &names.run_account);
    let setting = |setting| context.text(setting).to_owned();
    let (cpu, memory, concurrency) = (setting(&CPU), setting(&MEMORY), setting(&CONCURRENCY));
    let (min, max) = (setting(&MIN_INSTANCES), setting(&MAX_INSTANCES));
    let update = update(context);
    let flags = format!(
        "--ingress=internal --service-account={run_account} --cpu={cpu} --memory={memory} --cpu-boost --concurrency={concurrency} \
         --min-instances={min} --max-instances={max} --timeout={TIMEOUT} \
         --startup-probe=httpGet.path=/ready,periodSeconds=1,timeoutSeconds=1,failureThreshold=60 \
         --liveness-probe=httpGet.path=/health,periodSeconds=30,timeoutSeconds=5,failureThreshold=3"
    );
    let number = |text: &str| is(text.parse::<u64>().unwrap_or_default());
    let annotation = |name: &str| format!("/spec/template/metadata/annotations/{}", name.replace('/', "~1"));
    let throughput = "fewer pushes are processed at the same time than CONCURRENCY and MAX_INSTANCES allow, or an instance gets too many";
    let part = Part::new("service", format!("service {name}"), source(context))
        .found(format!("{name} in {}", names.region))
        .required("events wait in the subscription until it exists", names.deploy.clone())
        .update(format!("{update} {flags}"))
        .rule(ready(context))
        .rule(traffic(context))
        .rule(image_of(context))
        .member("/metadata/annotations/run.googleapis.com~1ingress", is("internal"), "everyone on the Internet can send requests to it")
        .member("/spec/template/spec/serviceAccountName", is(run_account.as_str()), "it has other permissions")
        .member("/spec/template/spec/containerConcurrency", number(&concurrency), throughput)
        .member(annotation("autoscaling.knative.dev/maxScale"), number(&max), throughput)
        .member(
            annotation("autoscaling.knative.dev/minScale"),
            number(&min),
            "pushes wait for the start of an instance, or idle instances cost",
        )
        .member(annotation("run.googleapis.com/startup-cpu-boost"), is(true), "an instance takes longer to start")
        .member(
            "/spec/template/spec/timeoutSeconds",
            is(TIMEOUT),
            format!(
                "Cloud Run ends pushes before PUSH_DEADLINE ({:?}), or after the ack deadline",
                context.deployment.service.push_deadline
            ),
        )
        .member(format!("{CONTAINER}/resources/limits/cpu"), cpu_is(&cpu), "an instance processes fewer events a second, or costs more")
        .member(format!("{CONTAINER}/resources/limits/memory"), is(memory), "an instance ends without memory, or costs more")
        .member_fixed_by(
            "/metadata/labels/pipeline",
            is(pipeline.as_str()),
            Context::LABEL_EFFECT,
            format!("{update} --update-labels=pipeline={pipeline}"),
        )
        .rule(enough_in_flight(context));
    probes(part)
}

/// A probe of another path, or with less patience, ends instances that work, or keeps those that do not.
fn probes(part: Part) -> Part {
    let startup = json!({"httpGet": {"path": "/ready"}, "periodSeconds": 1, "timeoutSeconds": 1, "failureThreshold": 60});
    let liveness = json!({"httpGet": {"path": "/health"}, "periodSeconds": 30, "timeoutSeconds": 5, "failureThreshold": 3});
    part.member(format!("{CONTAINER}/startupProbe"), is(startup), "new instances are ended before they are ready, or get events before")
        .member(
            format!("{CONTAINER}/livenessProbe"),
            is(liveness),
            "Cloud Run restarts instances that work, or does not restart those that hang",
        )
}

/// Cloud Run writes 1 or 1000m.
fn cpu_is(cpu: &str) -> Expected {
    let milli = format!("{cpu}000m");
    let cpu = cpu.to_owned();
    condition(cpu.clone(), move |found| found == cpu.as_str() || found == milli.as_str())
}

type Rule = Box<dyn Fn(&Value, &State) -> Result<Vec<Difference>, Fault>>;

/// A rule with at most one difference.
fn one(context: &Context, differs: impl Fn(&Value) -> Option<(String, String, String)> + 'static) -> Rule {
    let resource = format!("service {}", context.names.service);
    Box::new(move |service, _| {
        let difference = differs(service);
        Ok(difference.into_iter().map(|(problem, effect, fix)| Difference { resource: resource.clone(), problem, effect, fix }).collect())
    })
}

fn ready(context: &Context) -> Rule {
    let names = context.names;
    let logs = format!("gcloud run services logs read {} --project={} --region={} --limit=50", names.service, names.project, names.region);
    one(context, move |service| {
        let conditions = service["status"]["conditions"].as_array().into_iter().flatten();
        let not_ready = conditions.into_iter().find(|condition| condition["type"] == "Ready" && condition["status"] != "True")?;
        let problem = format!("its newest revision is not ready: {}", text(&not_ready["message"]));
        Some((problem, "an older revision runs, or none".to_owned(), logs.clone()))
    })
}

fn traffic(context: &Context) -> Rule {
    let names = context.names;
    let fix =
        format!("gcloud run services update-traffic {} --project={} --region={} --to-latest", names.service, names.project, names.region);
    one(context, move |service| {
        let targets = service["spec"]["traffic"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_latest = targets.is_empty() || targets.iter().any(|target| target["latestRevision"] == true && target["percent"] == 100);
        let problem = "not all requests go to its newest revision".to_owned();
        (!is_latest).then(|| (problem, "events are processed with older settings".to_owned(), fix.clone()))
    })
}

fn image_of(context: &Context) -> Rule {
    let (expected, is_built, deploy) = (image::name(context), image::is_built(context), context.names.deploy.clone());
    one(context, move |service| {
        let found = service.pointer(&format!("{CONTAINER}/image")).unwrap_or(&Value::Null);
        let rest = found.as_str().and_then(|found| found.strip_prefix(&expected));
        // A build has a digest, and a tag may have been resolved to one.
        let is_right = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('@') || is_built && rest.starts_with(':'));
        let problem = format!("its image is {} and not {expected}", text(found));
        (!is_right).then(|| (problem, "it runs another program or version".to_owned(), deploy.clone()))
    })
}

/// Compares the service with itself: both values may be as configured.
fn enough_in_flight(context: &Context) -> Rule {
    let update = update(context);
    let default = context.deployment.service.values.number::<u64>(&MAX_IN_FLIGHT);
    one(context, move |service| {
        let concurrency = service.pointer("/spec/template/spec/containerConcurrency")?.as_u64()?;
        let max = environment::variable(service, "MAX_IN_FLIGHT").and_then(|text| text.trim().parse().ok()).unwrap_or(default);
        let problem = format!("its concurrency of {concurrency} is more than MAX_IN_FLIGHT={max}");
        let effect = "it rejects pushes that Cloud Run sends to it with 429".to_owned();
        (concurrency > max).then(|| (problem, effect, format!("{update} --update-env-vars=MAX_IN_FLIGHT={concurrency}")))
    })
}

fn policy(context: &Context) -> Source {
    let names = context.names;
    Source::get(Api::Run, format!("v1/projects/{}/locations/{}/services/{}:getIamPolicy", names.project, names.region, names.service))
}

fn command(context: &Context) -> Command {
    let names = context.names;
    Command { group: "run services", resource: format!("{} --project={} --region={}", names.service, names.project, names.region) }
}

fn invoker(context: &Context) -> Part {
    let (name, push_account) = (&context.names.service, &context.names.push_account);
    Grant {
        link: "push invoker",
        resource: format!("service {name}"),
        policy: policy(context),
        member: Member::Known(format!("serviceAccount:{push_account}")),
        roles: &INVOKERS,
        effect: "pushes are answered 403",
        command: command(context),
        found: format!("{push_account} can invoke {name}"),
    }
    .part(context)
}

/// Checks that a caller without a token is rejected: it could write events.
fn unauthenticated(context: &Context) -> Part {
    let name = &context.names.service;
    let (resource, service, update) = (format!("service {name}"), source(context), update(context));
    let effect = "everyone can write forged events";
    let public = not_public(resource.clone(), command(context), &[], effect);
    let part = Part::new("unauthenticated access", resource.clone(), policy(context)).found("a request without a token is rejected");
    part.needs(service.clone()).rule(public).rule(move |_, state| {
        let difference = |problem: String, fix: String| Difference { resource: resource.clone(), problem, effect: effect.to_owned(), fix };
        let service = state.needed(&service, &resource)?;
        // Before the request's result: the network may block the request.
        if service["metadata"]["annotations"]["run.googleapis.com/invoker-iam-disabled"] == "true" {
            return Ok(vec![difference("it accepts requests without a token".to_owned(), format!("{update} --invoker-iam-check"))]);
        }
        match &state.unauthenticated {
            Some(Ok(status)) if matches!(status.as_u16(), 401 | 403 | 404) => Ok(Vec::new()),
            Some(Ok(status)) => {
                let problem = format!("a request without a token is answered {}", status.as_u16());
                Ok(vec![difference(problem, format!("{update} --ingress=internal --invoker-iam-check"))])
            }
            Some(Err(error)) => Err(Fault::unknown(format!("cannot send a request without a token: {error}"))),
            None => Err(Fault::unknown("the service has no URL yet")),
        }
    })
}
