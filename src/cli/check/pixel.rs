//! From the visitor to the log entry: bucket, backend bucket with its CDN, URL map, forwarding rules.

use serde_json::Value;

use super::link::{Fault, Link, Mistakes, Verdict};
use super::names::Names;
use super::policy::Policies;
use super::seen::{Edge, Entrance};
use crate::cli::google::Look;
use crate::config::Deployment;

pub(crate) fn links(edge: &Edge, project_policy: &Look, names: &Names, deployment: &Deployment) -> Vec<Link> {
    vec![
        Link::new("pixel", pixel(edge, names)),
        Link::new("pixel is public", public(edge, project_policy, names)),
        Link::new("CDN", cdn(edge, names)),
        Link::new("URL map", url_map(edge, names)),
        Link::new("forwarding rules", forwarding_rules(edge, names, deployment.domain.as_deref())),
    ]
}

fn pixel(edge: &Edge, names: &Names) -> Verdict {
    let Names { project, bucket, location, .. } = names;
    edge.bucket.found(&format!("bucket gs://{bucket}"), || {
        format!("gcloud storage buckets create gs://{bucket} --project={project} --location={location} --uniform-bucket-level-access --no-public-access-prevention")
    })?;
    let mut mistakes = Mistakes::default();
    for (path, object) in &edge.objects {
        let url = format!("gs://{bucket}/{}", names.object(path));
        let upload = || {
            format!(
                "gcloud storage cp deploy/pixel.png {url} --project={project} --content-type=image/png --cache-control='public, max-age=0'"
            )
        };
        match object.found(&format!("object {url}"), upload) {
            Ok(object) if !object["contentType"].as_str().unwrap_or_default().starts_with("image/") => mistakes.add(
                format!("{url} is of type {}", text(&object["contentType"])),
                format!("gcloud storage objects update {url} --project={project} --content-type=image/png"),
            ),
            Ok(_) => {}
            Err(Fault::Wrong { problem, mend }) => mistakes.add(problem, mend),
            Err(unseen @ Fault::Unseen { .. }) => return Err(unseen),
        }
    }
    let paths: Vec<&str> = edge.objects.iter().map(|(path, _)| path.as_str()).collect();
    mistakes.or(format!("{} in gs://{bucket}", paths.join(", ")))
}

fn public(edge: &Edge, project_policy: &Look, names: &Names) -> Verdict {
    let Names { project, bucket, .. } = names;
    let policies = Policies::new(&edge.bucket_policy, project_policy, &format!("bucket gs://{bucket}"))?;
    if policies.grant("allUsers", &["roles/storage.legacyObjectReader", "roles/storage.objectViewer"]) {
        return Ok("everyone may read what they know the name of".to_owned());
    }
    Err(Fault::wrong(
        format!("nobody may read gs://{bucket}, so the pixel is answered 403"),
        format!(
            "gcloud storage buckets add-iam-policy-binding gs://{bucket} --project={project} --member=allUsers --role=roles/storage.legacyObjectReader"
        ),
    ))
}

/// Without a client TTL of 0, browsers keep the pixel for an hour, and a second view is never seen.
fn cdn(edge: &Edge, names: &Names) -> Verdict {
    let Names { project, name, bucket, .. } = names;
    let flags = format!("--gcs-bucket-name={bucket} --enable-cdn --cache-mode=FORCE_CACHE_ALL --default-ttl=86400 --client-ttl=0");
    let backend = edge
        .backend_bucket
        .found(&format!("backend bucket {name}"), || format!("gcloud compute backend-buckets create {name} --project={project} {flags}"))?;
    let update = format!("gcloud compute backend-buckets update {name} --project={project} {flags}");
    let (policy, mut mistakes) = (&backend["cdnPolicy"], Mistakes::default());
    if backend["bucketName"] != bucket.as_str() {
        mistakes.add(format!("it shows bucket {} and not {bucket}", text(&backend["bucketName"])), &update);
    }
    if backend["enableCdn"] != true {
        mistakes.add("the CDN is off, so every view is read from the bucket", &update);
    } else if policy["cacheMode"] != "FORCE_CACHE_ALL" {
        mistakes.add(format!("the cache mode is {} and not FORCE_CACHE_ALL", text(&policy["cacheMode"])), &update);
    }
    if policy["clientTtl"] != 0 {
        mistakes.add(
            format!("the client TTL is {} and not 0: browsers keep the pixel, and a repeated view is not seen", text(&policy["clientTtl"])),
            &update,
        );
    }
    mistakes.or(format!("backend bucket {name} caches everything at the edge and nothing in browsers"))
}

fn url_map(edge: &Edge, names: &Names) -> Verdict {
    let Names { project, name, .. } = names;
    let map = edge.url_map.found(&format!("URL map {name}"), || {
        format!("gcloud compute url-maps create {name} --project={project} --global --default-backend-bucket={name}")
    })?;
    if ends_with(&map["defaultService"], &format!("/backendBuckets/{name}")) {
        return Ok(format!("{name} leads to the backend bucket"));
    }
    Err(Fault::wrong(
        format!("it leads to {} and not to backend bucket {name}", text(&map["defaultService"])),
        format!("gcloud compute url-maps set-default-service {name} --project={project} --global --default-backend-bucket={name}"),
    ))
}

/// HTTPS is there if someone wants it.
fn forwarding_rules(edge: &Edge, names: &Names, domain: Option<&str>) -> Verdict {
    let (mut mistakes, mut found) = (Mistakes::default(), Vec::new());
    entrance(&edge.http, "http", &names.http, 80, names, &mut mistakes, &mut found)?;
    if domain.is_some() || !edge.https.rule.is_missing() {
        entrance(&edge.https, "https", &names.https, 443, names, &mut mistakes, &mut found)?;
    }
    mistakes.or(found.join(" and "))
}

fn entrance(
    entrance: &Entrance,
    scheme: &str,
    called: &str,
    port: u16,
    names: &Names,
    mistakes: &mut Mistakes,
    found: &mut Vec<String>,
) -> Result<(), Fault> {
    let Names { project, name, deploy, .. } = names;
    let create = || {
        // A certificate has to be there first.
        if scheme == "https" {
            return deploy.clone();
        }
        format!(
            "gcloud compute forwarding-rules create {called} --project={project} --global --load-balancing-scheme=EXTERNAL_MANAGED \
             --network-tier=PREMIUM --address={name} --ports={port} --target-http-proxy={called}"
        )
    };
    let rule = match entrance.rule.found(&format!("forwarding rule {called}"), create) {
        Ok(rule) => rule,
        Err(Fault::Wrong { problem, mend }) => {
            mistakes.add(problem, mend);
            return Ok(());
        }
        Err(unseen) => return Err(unseen),
    };
    let kind = if scheme == "https" { "targetHttpsProxies" } else { "targetHttpProxies" };
    if !ends_with(&rule["target"], &format!("/{kind}/{called}")) {
        mistakes.add(
            format!("forwarding rule {called} leads to {} and not to proxy {called}", text(&rule["target"])),
            format!("gcloud compute forwarding-rules set-target {called} --project={project} --global --target-{scheme}-proxy={called}"),
        );
    } else if !ends_with(&entrance.proxy.needed(&format!("proxy {called}"))?["urlMap"], &format!("/urlMaps/{name}")) {
        mistakes.add(
            format!("proxy {called} does not use URL map {name}"),
            format!("gcloud compute target-{scheme}-proxies update {called} --project={project} --global --url-map={name}"),
        );
    }
    found.push(format!("{scheme}://{}", rule["IPAddress"].as_str().unwrap_or("?")));
    Ok(())
}

fn ends_with(link: &Value, end: &str) -> bool {
    link.as_str().is_some_and(|link| link.ends_with(end))
}

/// A value as a person would write it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
