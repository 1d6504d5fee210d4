//! The load balancer: backend bucket with its CDN, URL map, address, and for each scheme a proxy and a forwarding rule.

use serde_json::json;

use super::{Context, domains};
use crate::cli::check::difference::{Difference, text};
use crate::cli::check::part::{Expected, Part, condition, is, is_or_unset, is_resource};
use crate::cli::check::state::{Source, State};
use crate::google::Api;

pub(super) fn parts(context: &Context) -> Vec<Part> {
    if let Some(url_map) = context.url_map() {
        return vec![context.marked(backend_bucket(context), ""), url_map_of_others(context, url_map)];
    }
    let mut parts =
        vec![backend_bucket(context), url_map(context), address(context), proxy(context, "http"), forwarding_rule(context, "http")];
    if !context.domains().is_empty() {
        parts.extend([domains::serving(context, proxy(context, "https")), forwarding_rule(context, "https")]);
        parts.extend(domains::certificates(context));
    }
    // Of these resources, gcloud can change the description of the backend bucket only.
    parts.into_iter().map(|part| context.marked(part, "")).collect()
}

fn source(context: &Context, kind: &str, name: &str) -> Source {
    Source::get(Api::Compute, path(context, kind, name))
}

pub(super) fn address_source(context: &Context) -> Source {
    source(context, "addresses", &context.names.name)
}

fn path(context: &Context, kind: &str, name: &str) -> String {
    format!("projects/{}/global/{kind}/{name}", context.names.project)
}

/// Without a client TTL of 0, browsers cache the pixel for an hour, and repeated views are not logged.
fn backend_bucket(context: &Context) -> Part {
    let names = context.names;
    let (project, name, bucket) = (&names.project, &names.name, &names.bucket);
    let flags = format!("--gcs-bucket-name={bucket} --enable-cdn --cache-mode=FORCE_CACHE_ALL --default-ttl=86400 --client-ttl=0");
    let part = Part::new("CDN", format!("backend bucket {name}"), source(context, "backendBuckets", name));
    part.found(format!("backend bucket {name}: cached at the edge, not in browsers"))
        .required(
            "the load balancer has nothing to serve",
            format!("gcloud compute backend-buckets create {name} --project={project} {flags}"),
        )
        .update(format!("gcloud compute backend-buckets update {name} --project={project} {flags}"))
        .member("/bucketName", is(bucket.as_str()), "the pixel is read from another bucket")
        .member("/enableCdn", is(true), "every view is read from the bucket, which costs more and takes longer")
        .member("/cdnPolicy/cacheMode", is("FORCE_CACHE_ALL"), "views are read from the bucket, which costs more and takes longer")
        .member("/cdnPolicy/defaultTtl", is(86_400), "the edge reads the pixel from the bucket more often or serves an old one")
        // Absent means an hour, not 0.
        .member(
            "/cdnPolicy/clientTtl",
            condition("0", |found| found.as_f64() == Some(0.0)),
            "browsers cache the pixel, and repeated views are not logged",
        )
        .member_fixed_by(
            "/cdnPolicy/signedUrlKeyNames",
            Expected::Unset,
            "requests with a signature of Cloud CDN are handled by its keys",
            "",
        )
        .member_fixed_by(
            "/edgeSecurityPolicy",
            Expected::Unset,
            "a security policy can refuse requests for the pixel",
            format!("gcloud compute backend-buckets update {name} --project={project} --edge-security-policy=''"),
        )
}

fn url_map(context: &Context) -> Part {
    let (project, name) = (&context.names.project, &context.names.name);
    let set = format!("gcloud compute url-maps set-default-service {name} --project={project} --global --default-backend-bucket={name}");
    let mut part = Part::new("URL map", format!("URL map {name}"), source(context, "urlMaps", name))
        .found(format!("{name} routes to the backend bucket"))
        .required(
            "the load balancer answers nothing",
            format!("gcloud compute url-maps create {name} --project={project} --global --default-backend-bucket={name}"),
        )
        .update(set)
        .member("/defaultService", Expected::Resource(path(context, "backendBuckets", name)), "requests are answered by something else");
    for member in ["hostRules", "pathMatchers", "defaultUrlRedirect", "defaultRouteAction"] {
        let effect = "requests for the pixel can be routed elsewhere";
        let fix = format!("gcloud compute url-maps edit {name} --project={project} --global");
        part = part.member_fixed_by(format!("/{member}"), Expected::Unset, effect, fix);
    }
    part
}

/// A load balancer that is not ours has to have a rule for the paths of the pixel.
fn url_map_of_others(context: &Context, url_map: &str) -> Part {
    let names = context.names;
    let (resource, bucket) = (format!("URL map {url_map}"), path(context, "backendBuckets", &names.name));
    let fix = format!("gcloud compute url-maps edit {url_map} --project={} --global", names.project);
    let part = Part::new("URL map", resource.clone(), source(context, "urlMaps", url_map));
    part.found(format!("{url_map} has a rule for the backend bucket")).required("the pixel is not served", names.deploy.clone()).rule(
        move |found, _| {
            let has_rule = found.to_string().contains(&format!("{bucket}\""));
            let difference = || Difference {
                resource: resource.clone(),
                problem: format!("it has no rule for {bucket}"),
                effect: "the pixel is not served".to_owned(),
                fix: fix.clone(),
            };
            Ok(if has_rule { Vec::new() } else { vec![difference()] })
        },
    )
}

fn address(context: &Context) -> Part {
    let (project, name, deploy) = (&context.names.project, &context.names.name, &context.names.deploy);
    let create = format!("gcloud compute addresses create {name} --project={project} --global --ip-version=IPV4 --network-tier=PREMIUM");
    // Neither member of an address can be changed.
    let again = format!("gcloud compute addresses delete {name} --project={project} --global\n{deploy}");
    Part::new("forwarding rules", format!("address {name}"), source(context, "addresses", name))
        .found("")
        .required("the address of the pixel is not reserved, and DNS records can become wrong", create)
        .update(again)
        .member("/ipVersion", is_or_unset("IPV4"), "clients without IPv6 cannot reach the pixel")
        .member("/networkTier", is_or_unset("PREMIUM"), "a global load balancer cannot use it")
}

fn proxy(context: &Context, scheme: &str) -> Part {
    let names = context.names;
    let (project, name) = (&names.project, &names.name);
    let (proxy, kind) = scheme_names(context, scheme);
    let group = format!("gcloud compute target-{scheme}-proxies");
    // An HTTPS proxy needs a certificate, which deploy.sh creates first.
    let create = match scheme {
        "https" => names.deploy.clone(),
        _ => format!("{group} create {proxy} --project={project} --global --url-map={name}"),
    };
    Part::new("forwarding rules", format!("{} proxy {proxy}", scheme.to_uppercase()), source(context, kind, proxy))
        .found("")
        .required(format!("the pixel is not served by {scheme}"), create)
        .update(format!("{group} update {proxy} --project={project} --global --url-map={name}"))
        .member("/urlMap", Expected::Resource(path(context, "urlMaps", name)), "requests are answered by something else")
}

/// The name of the proxy and of the forwarding rule of a scheme, and the kind of the proxy in the API.
fn scheme_names<'c>(context: &'c Context, scheme: &str) -> (&'c str, &'static str) {
    if scheme == "https" { (&context.names.https, "targetHttpsProxies") } else { (&context.names.http, "targetHttpProxies") }
}

fn forwarding_rule(context: &Context, scheme: &str) -> Part {
    let (project, name) = (&context.names.project, &context.names.name);
    let (rule, kind) = scheme_names(context, scheme);
    let port = if scheme == "https" { 443 } else { 80 };
    let create = format!(
        "gcloud compute forwarding-rules create {rule} --project={project} --global --load-balancing-scheme=EXTERNAL_MANAGED \
         --network-tier=PREMIUM --address={name} --ports={port} --target-{scheme}-proxy={rule}"
    );
    // Of a forwarding rule, only the target can be changed.
    let again = format!("gcloud compute forwarding-rules delete {rule} --project={project} --global --quiet\n{create}");
    let (reserved, address_path) = (source(context, "addresses", name), path(context, "addresses", name));
    let resource = format!("forwarding rule {rule}");
    let (at, fix) = (resource.clone(), again.clone());
    let part = Part::new("forwarding rules", resource, source(context, "forwardingRules", rule))
        .found(format!("{scheme} on port {port}"))
        .required(format!("the pixel is not reachable by {scheme}"), create)
        .update(again)
        .member_fixed_by(
            "/target",
            Expected::Resource(path(context, kind, rule)),
            format!("requests by {scheme} do not reach the pixel"),
            format!("gcloud compute forwarding-rules set-target {rule} --project={project} --global --target-{scheme}-proxy={rule}"),
        )
        .member(
            "/portRange",
            condition(port.to_string(), move |found| found == &json!(port.to_string()) || found == &json!(format!("{port}-{port}"))),
            format!("the pixel is not reachable by {scheme}"),
        )
        .member("/loadBalancingScheme", is("EXTERNAL_MANAGED"), "Cloud CDN and the logs belong to another kind of load balancer")
        .member("/networkTier", is_or_unset("PREMIUM"), "the load balancer is not global");
    part.needs(reserved.clone()).rule(move |found, state: &State| {
        let (found, address) = (&found["IPAddress"], state.get(&reserved)?.map(|address| &address["address"]));
        let is_reserved = found.as_str().is_some_and(|found| is_resource(found, &address_path)) || address == Some(found);
        let difference = || Difference {
            resource: at.clone(),
            problem: format!("IPAddress is {} and not the reserved one", text(found)),
            effect: "DNS records and pixels with the address do not reach it".to_owned(),
            fix: fix.clone(),
        };
        // Without an address there is another difference.
        Ok(if is_reserved || address.is_none() { Vec::new() } else { vec![difference()] })
    })
}
