//! The hosts of DOMAIN: each has a certificate, which the HTTPS proxy serves.

use serde_json::Value;

use super::Context;
use crate::cli::check::difference::Difference;
use crate::cli::check::part::{Part, is, is_resource};
use crate::cli::check::state::Source;
use crate::google::list;

pub(super) fn certificates(context: &Context) -> Vec<Part> {
    context.domains().into_iter().map(|host| certificate(context, host)).collect()
}

fn source(context: &Context, host: &str) -> Source {
    let path = format!("projects/{}/global/sslCertificates", context.names.project);
    Source::list(&list::CERTIFICATES, path).item(vec![("/managed/domains/0", host.to_owned())])
}

fn certificate(context: &Context, host: &str) -> Part {
    let effect = format!("browsers refuse https://{host}");
    let list = format!("gcloud compute ssl-certificates list --project={} --global", context.names.project);
    let issue = "Google issues it within an hour after DNS has a record of the host with the address of the load balancer";
    Part::new("certificates", format!("certificate of {host}"), source(context, host))
        .found(format!("{host} is active"))
        .required(effect.clone(), &context.names.deploy)
        .member("/type", is("MANAGED"), "Google does not renew it")
        .member_fixed_by("/managed/status", is("ACTIVE"), format!("{effect} until it is active. {issue}"), list)
}

/// The HTTPS proxy serves the certificate of each host.
pub(super) fn serving(context: &Context, proxy: Part) -> Part {
    context.domains().into_iter().fold(proxy, |proxy, host| {
        let (source, resource, deploy) = (source(context, host), proxy.resource.clone(), context.names.deploy.clone());
        let needed = source.clone();
        let host = host.to_owned();
        proxy.needs(source).rule(move |proxy, state| {
            // Without a certificate there is another difference.
            let Some(certificate) = state.get(&needed)? else { return Ok(Vec::new()) };
            let name = format!("/sslCertificates/{}", certificate["name"].as_str().unwrap_or_default());
            let mut certificates = proxy["sslCertificates"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let is_served = certificates.any(|found| is_resource(found, name.trim_start_matches('/')));
            let difference = || Difference {
                resource: resource.clone(),
                problem: format!("sslCertificates has no certificate of {host}"),
                effect: format!("browsers refuse https://{host}"),
                fix: deploy.clone(),
            };
            Ok(if is_served { Vec::new() } else { vec![difference()] })
        })
    })
}
