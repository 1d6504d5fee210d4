//! From the visitor to the log entry: bucket, backend bucket with its CDN, URL map, forwarding rules.

use serde_json::Value;

use super::link::{Fault, Link, LinkProblems, Verdict};
use super::names::ResourceNames;
use super::policy::Policies;
use super::resource::Resource;
use super::state::{Edge, Frontend};
use super::text;
use crate::config::Deployment;

pub(crate) fn links(edge: &Edge, project_policy: &Resource, names: &ResourceNames, deployment: &Deployment) -> Vec<Link> {
    vec![
        Link::new("pixel", pixel(edge, names)),
        Link::new("pixel is public", public(edge, project_policy, names)),
        Link::new("CDN", cdn(edge, names)),
        Link::new("URL map", url_map(edge, names)),
        Link::new("forwarding rules", forwarding_rules(edge, names, deployment.domain.as_deref())),
    ]
}

fn pixel(edge: &Edge, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, bucket, location, .. } = names;
    edge.bucket.found(&format!("bucket gs://{bucket}"), || {
        format!("gcloud storage buckets create gs://{bucket} --project={project} --location={location} --uniform-bucket-level-access --no-public-access-prevention")
    })?;
    let mut problems = LinkProblems::default();
    for (path, object) in &edge.objects {
        let url = format!("gs://{bucket}/{}", names.object(path));
        let upload = || {
            format!(
                "gcloud storage cp deploy/pixel.png {url} --project={project} --content-type=image/png --cache-control='public, max-age=0'"
            )
        };
        match object.found(&format!("object {url}"), upload) {
            Ok(object) if !object["contentType"].as_str().is_some_and(|kind| kind.starts_with("image/")) => problems.add(
                format!("{url} has content type {}", text(&object["contentType"])),
                format!("gcloud storage objects update {url} --project={project} --content-type=image/png"),
            ),
            Ok(_) => {}
            Err(Fault::Broken { problem, fix }) => problems.add(problem, fix),
            Err(unknown @ Fault::Unknown { .. }) => return Err(unknown),
        }
    }
    let paths: Vec<&str> = edge.objects.iter().map(|(path, _)| path.as_str()).collect();
    problems.or(format!("{} in gs://{bucket}", paths.join(", ")))
}

fn public(edge: &Edge, project_policy: &Resource, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, bucket, .. } = names;
    let policies = Policies::new(&edge.bucket_policy, project_policy, &format!("bucket gs://{bucket}"))?;
    if policies.grant("allUsers", &["roles/storage.legacyObjectReader", "roles/storage.objectViewer"]) {
        return Ok("everyone can read an object by its name".to_owned());
    }
    Err(Fault::broken(
        format!("gs://{bucket} is not public, so requests for the pixel are answered 403"),
        format!(
            "gcloud storage buckets add-iam-policy-binding gs://{bucket} --project={project} --member=allUsers --role=roles/storage.legacyObjectReader"
        ),
    ))
}

/// Without a client TTL of 0, browsers cache the pixel for an hour, and repeated views are not logged.
fn cdn(edge: &Edge, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, name, bucket, .. } = names;
    let flags = format!("--gcs-bucket-name={bucket} --enable-cdn --cache-mode=FORCE_CACHE_ALL --default-ttl=86400 --client-ttl=0");
    let backend = edge
        .backend_bucket
        .found(&format!("backend bucket {name}"), || format!("gcloud compute backend-buckets create {name} --project={project} {flags}"))?;
    let update = format!("gcloud compute backend-buckets update {name} --project={project} {flags}");
    let (policy, mut problems) = (&backend["cdnPolicy"], LinkProblems::default());
    if backend["bucketName"] != bucket.as_str() {
        problems.add(format!("its bucket is {} and not {bucket}", text(&backend["bucketName"])), &update);
    }
    if backend["enableCdn"] != true {
        problems.add("the CDN is disabled, so every view is read from the bucket", &update);
    } else if policy["cacheMode"] != "FORCE_CACHE_ALL" {
        problems.add(format!("the cache mode is {} and not FORCE_CACHE_ALL", text(&policy["cacheMode"])), &update);
    }
    if policy["clientTtl"] != 0 {
        problems.add(
            format!(
                "the client TTL is {} and not 0: browsers cache the pixel, and repeated views are not logged",
                text(&policy["clientTtl"])
            ),
            &update,
        );
    }
    problems.or(format!("backend bucket {name}: cached at the edge, not in browsers"))
}

fn url_map(edge: &Edge, names: &ResourceNames) -> Verdict {
    let ResourceNames { project, name, .. } = names;
    let map = edge.url_map.found(&format!("URL map {name}"), || {
        format!("gcloud compute url-maps create {name} --project={project} --global --default-backend-bucket={name}")
    })?;
    if ends_with(&map["defaultService"], &format!("/backendBuckets/{name}")) {
        return Ok(format!("{name} routes to the backend bucket"));
    }
    Err(Fault::broken(
        format!("it routes to {} and not to backend bucket {name}", text(&map["defaultService"])),
        format!("gcloud compute url-maps set-default-service {name} --project={project} --global --default-backend-bucket={name}"),
    ))
}

/// HTTPS is optional: it is checked if DOMAIN is set or the rule exists.
fn forwarding_rules(edge: &Edge, names: &ResourceNames, domain: Option<&str>) -> Verdict {
    let (mut problems, mut found) = (LinkProblems::default(), Vec::new());
    frontend(&edge.http, "http", &names.http, 80, names, &mut problems, &mut found)?;
    if domain.is_some() || !edge.https.rule.is_absent() {
        frontend(&edge.https, "https", &names.https, 443, names, &mut problems, &mut found)?;
    }
    problems.or(found.join(" and "))
}

fn frontend(
    frontend: &Frontend,
    scheme: &str,
    resource: &str,
    port: u16,
    names: &ResourceNames,
    problems: &mut LinkProblems,
    found: &mut Vec<String>,
) -> Result<(), Fault> {
    let ResourceNames { project, name, deploy, .. } = names;
    let create = || {
        // It needs a certificate, which deploy.sh creates first.
        if scheme == "https" {
            return deploy.clone();
        }
        format!(
            "gcloud compute forwarding-rules create {resource} --project={project} --global --load-balancing-scheme=EXTERNAL_MANAGED \
             --network-tier=PREMIUM --address={name} --ports={port} --target-http-proxy={resource}"
        )
    };
    let rule = match frontend.rule.found(&format!("forwarding rule {resource}"), create) {
        Ok(rule) => rule,
        Err(Fault::Broken { problem, fix }) => {
            problems.add(problem, fix);
            return Ok(());
        }
        Err(unknown) => return Err(unknown),
    };
    let kind = if scheme == "https" { "targetHttpsProxies" } else { "targetHttpProxies" };
    if !ends_with(&rule["target"], &format!("/{kind}/{resource}")) {
        problems.add(
            format!("forwarding rule {resource} points to {} and not to proxy {resource}", text(&rule["target"])),
            format!(
                "gcloud compute forwarding-rules set-target {resource} --project={project} --global --target-{scheme}-proxy={resource}"
            ),
        );
    } else if !ends_with(&frontend.proxy.needed(&format!("proxy {resource}"))?["urlMap"], &format!("/urlMaps/{name}")) {
        problems.add(
            format!("proxy {resource} does not use URL map {name}"),
            format!("gcloud compute target-{scheme}-proxies update {resource} --project={project} --global --url-map={name}"),
        );
    }
    found.push(format!("{scheme}://{}", rule["IPAddress"].as_str().unwrap_or("?")));
    Ok(())
}

fn ends_with(link: &Value, end: &str) -> bool {
    link.as_str().is_some_and(|link| link.ends_with(end))
}
