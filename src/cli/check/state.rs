//! The state of a deployment: every resource that a link needs, requested at once.

use reqwest::StatusCode;
use serde_json::json;

use super::names::ResourceNames;
use super::resource::Resource;
use crate::google::{Api, Client};

/// The project's resources.
#[derive(Debug)]
pub(crate) struct DeploymentState {
    pub(crate) project: Resource,
    pub(crate) project_policy: Resource,
    pub(crate) edge: Edge,
    pub(crate) sink: Resource,
    pub(crate) pubsub: PubsubState,
    pub(crate) service: Resource,
    pub(crate) service_policy: Resource,
    /// The service's answer to a request without a token; `None` if it has no URL.
    pub(crate) unauthenticated: Option<Result<StatusCode, String>>,
    pub(crate) tables: TableStates,
}

/// Bucket and load balancer.
#[derive(Debug)]
pub(crate) struct Edge {
    pub(crate) bucket: Resource,
    pub(crate) bucket_policy: Resource,
    /// Each with its path in the pixel's URL.
    pub(crate) objects: Vec<(String, Resource)>,
    pub(crate) backend_bucket: Resource,
    pub(crate) url_map: Resource,
    pub(crate) http: Frontend,
    pub(crate) https: Frontend,
}

/// A forwarding rule and its proxy.
#[derive(Debug)]
pub(crate) struct Frontend {
    pub(crate) rule: Resource,
    pub(crate) proxy: Resource,
}

/// Topics and subscriptions.
#[derive(Debug)]
pub(crate) struct PubsubState {
    pub(crate) topic: Resource,
    pub(crate) topic_policy: Resource,
    pub(crate) subscription: Resource,
    pub(crate) subscription_policy: Resource,
    pub(crate) dead_letter_topic: Resource,
    pub(crate) dead_letter_policy: Resource,
    pub(crate) dead_letter_subscription: Resource,
}

/// The dataset, its tables and views.
#[derive(Debug)]
pub(crate) struct TableStates {
    pub(crate) dataset: Resource,
    pub(crate) template: Resource,
    pub(crate) dead_letter_table: Resource,
    pub(crate) events: Resource,
    pub(crate) events_daily: Resource,
}

impl DeploymentState {
    pub(crate) async fn fetch(google: &Client, names: &ResourceNames, pixel_paths: &[String]) -> Self {
        let ResourceNames { project, region, name, service, .. } = names;
        let (service_path, policy_path) = (
            format!("apis/serving.knative.dev/v1/namespaces/{project}/services/{service}"),
            format!("v1/projects/{project}/locations/{region}/services/{service}:getIamPolicy"),
        );
        let (project_path, project_policy_path) = (format!("v1/projects/{project}"), format!("v1/projects/{project}:getIamPolicy"));
        let (sink_path, policy_request) = (format!("v2/projects/{project}/sinks/{name}"), json!({}));
        let (edge, sink, pubsub, (service, unauthenticated), service_policy, tables, project, project_policy) = tokio::join!(
            Edge::fetch(google, names, pixel_paths),
            Resource::get(google, Api::Logging, &sink_path),
            PubsubState::fetch(google, names),
            async {
                let service = Resource::get(google, Api::Run, &service_path).await;
                let unauthenticated = request_unauthenticated(google, &service).await;
                (service, unauthenticated)
            },
            Resource::get(google, Api::Run, &policy_path),
            TableStates::fetch(google, names),
            Resource::get(google, Api::Projects, &project_path),
            Resource::post(google, Api::Projects, &project_policy_path, &policy_request),
        );
        Self { project, project_policy, edge, sink, pubsub, service, service_policy, unauthenticated, tables }
    }
}

impl Edge {
    async fn fetch(google: &Client, names: &ResourceNames, pixel_paths: &[String]) -> Self {
        let ResourceNames { project, bucket, name, http, https, .. } = names;
        let compute = |kind: &str, name: &str| {
            let path = format!("projects/{project}/global/{kind}/{name}");
            async move { Resource::get(google, Api::Compute, &path).await }
        };
        let storage = |path: String| async move { Resource::get(google, Api::Storage, &path).await };
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
        let http = Frontend { rule: http_rule, proxy: http_proxy };
        let https = Frontend { rule: https_rule, proxy: https_proxy };
        Self { bucket, bucket_policy, objects, backend_bucket, url_map, http, https }
    }
}

impl PubsubState {
    async fn fetch(google: &Client, names: &ResourceNames) -> Self {
        let ResourceNames { project, name, push, dead_letter, .. } = names;
        let get = |path: String| async move { Resource::get(google, Api::Pubsub, &path).await };
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

impl TableStates {
    pub(crate) async fn fetch(google: &Client, names: &ResourceNames) -> Self {
        let ResourceNames { project, dataset, table, dead_letter_table, .. } = names;
        let base = format!("projects/{project}/datasets/{dataset}");
        let get = |path: String| async move { Resource::get(google, Api::BigQuery, &path).await };
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

/// Requests a page that the service serves to every caller that Cloud Run lets through.
async fn request_unauthenticated(google: &Client, service: &Resource) -> Option<Result<StatusCode, String>> {
    let url = service.value()?["status"]["url"].as_str()?;
    let answer = google.get_page(&format!("{url}/health")).await;
    Some(answer.map(|answer| answer.status()).map_err(|error| error.to_string()))
}
