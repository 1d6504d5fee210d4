//! All that there is to see of a deployment, asked for at once.

use reqwest::StatusCode;
use serde_json::json;

use super::names::Names;
use crate::cli::google::{Api, Google, Look};
use crate::telemetry::with_causes;

/// The project as it is now.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) project: Look,
    pub(crate) project_policy: Look,
    pub(crate) edge: Edge,
    pub(crate) sink: Look,
    pub(crate) pubsub: Pubsub,
    pub(crate) service: Look,
    pub(crate) service_policy: Look,
    /// What the service's URL answers to a stranger; `None` if there is no URL.
    pub(crate) stranger: Option<Result<StatusCode, String>>,
    pub(crate) tables: Tables,
}

/// Bucket and load balancer.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) bucket: Look,
    pub(crate) bucket_policy: Look,
    /// By path of the pixel.
    pub(crate) objects: Vec<(String, Look)>,
    pub(crate) backend_bucket: Look,
    pub(crate) url_map: Look,
    pub(crate) http: Entrance,
    pub(crate) https: Entrance,
}

/// A forwarding rule and its proxy.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) rule: Look,
    pub(crate) proxy: Look,
}

/// Topics and subscriptions.
#[derive(Debug)]
pub(crate) struct Pubsub {
    pub(crate) topic: Look,
    pub(crate) topic_policy: Look,
    pub(crate) subscription: Look,
    pub(crate) subscription_policy: Look,
    pub(crate) dead_letter_topic: Look,
    pub(crate) dead_letter_policy: Look,
    pub(crate) dead_letter_subscription: Look,
}

/// The dataset and what is in it.
#[derive(Debug)]
pub(crate) struct Tables {
    pub(crate) dataset: Look,
    pub(crate) template: Look,
    pub(crate) dead_letter_table: Look,
    pub(crate) events: Look,
    pub(crate) events_daily: Look,
}

impl Seen {
    pub(crate) async fn look(google: &Google, names: &Names, pixel_paths: &[String]) -> Self {
        let Names { project, region, name, service, .. } = names;
        let (service_path, policy_path) = (
            format!("apis/serving.knative.dev/v1/namespaces/{project}/services/{service}"),
            format!("v1/projects/{project}/locations/{region}/services/{service}:getIamPolicy"),
        );
        let (project_path, project_policy_path) = (format!("v1/projects/{project}"), format!("v1/projects/{project}:getIamPolicy"));
        let (sink_path, policy_question) = (format!("v2/projects/{project}/sinks/{name}"), json!({}));
        let (edge, sink, pubsub, (service, stranger), service_policy, tables, project, project_policy) = tokio::join!(
            Edge::look(google, names, pixel_paths),
            google.get(Api::Logging, &sink_path),
            Pubsub::look(google, names),
            async {
                let service = google.get(Api::Run, &service_path).await;
                let stranger = ask_as_a_stranger(google, &service).await;
                (service, stranger)
            },
            google.get(Api::Run, &policy_path),
            Tables::look(google, names),
            google.get(Api::Projects, &project_path),
            google.post(Api::Projects, &project_policy_path, &policy_question),
        );
        Self { project, project_policy, edge, sink, pubsub, service, service_policy, stranger, tables }
    }
}

impl Edge {
    async fn look(google: &Google, names: &Names, pixel_paths: &[String]) -> Self {
        let Names { project, bucket, name, http, https, .. } = names;
        let compute = |kind: &str, name: &str| {
            let path = format!("projects/{project}/global/{kind}/{name}");
            async move { google.get(Api::Compute, &path).await }
        };
        let storage = |path: String| async move { google.get(Api::Storage, &path).await };
        let objects = async {
            let mut objects = Vec::new();
            for path in pixel_paths {
                let object: String = url::form_urlencoded::byte_serialize(names.object(path).as_bytes()).collect();
                objects.push((path.clone(), storage(format!("b/{bucket}/o/{object}")).await));
            }
            objects
        };
        let (bucket, bucket_policy, objects, backend_bucket, url_map, http_rule, http_proxy, https_rule, https_proxy) = tokio::join!(
            storage(format!("b/{bucket}")),
            storage(format!("b/{bucket}/iam")),
            objects,
            compute("backendBuckets", name),
            compute("urlMaps", name),
            compute("forwardingRules", http),
            compute("targetHttpProxies", http),
            compute("forwardingRules", https),
            compute("targetHttpsProxies", https),
        );
        let http = Entrance { rule: http_rule, proxy: http_proxy };
        let https = Entrance { rule: https_rule, proxy: https_proxy };
        Self { bucket, bucket_policy, objects, backend_bucket, url_map, http, https }
    }
}

impl Pubsub {
    async fn look(google: &Google, names: &Names) -> Self {
        let Names { project, name, push, dead_letter, .. } = names;
        let get = |path: String| async move { google.get(Api::Pubsub, &path).await };
        let topic = |name: &str| format!("v1/projects/{project}/topics/{name}");
        let subscription = |name: &str| format!("v1/projects/{project}/subscriptions/{name}");
        let policy = |of: String| format!("{of}:getIamPolicy");
        let (topic, topic_policy, subscription, subscription_policy, dead_letter_topic, dead_letter_policy, dead_letter_subscription) = tokio::join!(
            get(topic(name)),
            get(policy(topic(name))),
            get(subscription(push)),
            get(policy(subscription(push))),
            get(topic(dead_letter)),
            get(policy(topic(dead_letter))),
            get(subscription(dead_letter)),
        );
        Self { topic, topic_policy, subscription, subscription_policy, dead_letter_topic, dead_letter_policy, dead_letter_subscription }
    }
}

impl Tables {
    pub(crate) async fn look(google: &Google, names: &Names) -> Self {
        let Names { project, dataset, table, dead_letter_table, .. } = names;
        let base = format!("projects/{project}/datasets/{dataset}");
        let get = |path: String| async move { google.get(Api::BigQuery, &path).await };
        let (dataset, template, dead_letter_table, events, events_daily) = tokio::join!(
            get(base.clone()),
            get(format!("{base}/tables/{table}")),
            get(format!("{base}/tables/{dead_letter_table}")),
            get(format!("{base}/tables/events")),
            get(format!("{base}/tables/events_daily")),
        );
        Self { dataset, template, dead_letter_table, events, events_daily }
    }
}

/// Asks for a page that the service has for everyone who reaches it.
async fn ask_as_a_stranger(google: &Google, service: &Look) -> Option<Result<StatusCode, String>> {
    let url = service.value()?["status"]["url"].as_str()?;
    let answer = google.http().get(format!("{url}/health")).send().await;
    Some(answer.map(|answer| answer.status()).map_err(|error| with_causes(&error)))
}
