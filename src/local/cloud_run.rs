//! The pixel as a service on Cloud Run: answers requests as `pixel-pipeline pixel` does, and logs each as Cloud Run does.
//!
//! Shape of an entry: <https://cloud.google.com/run/docs/logging#request_logs>.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::log_sink::LogSink;
use super::request_log::{LoggedRequest, head_size, random_span, random_trace, remote_ip};
use super::stats::TopologyStats;
use crate::decode::PixelPaths;
use crate::pixel_server;

/// Name of the service.
pub(crate) const SERVICE: &str = "pixel";

/// One instance of the service.
#[derive(Debug)]
pub struct CloudRun {
    project: String,
    paths: PixelPaths,
    instance: String,
    sink: LogSink,
    stats: TopologyStats,
}

impl CloudRun {
    /// `project` owns the log.
    pub fn new(project: &str, paths: PixelPaths, sink: LogSink, stats: TopologyStats) -> Self {
        let instance = format!("{:064x}", fastrand::u128(..));
        Self { project: project.to_owned(), paths, instance, sink, stats }
    }

    /// Answers and logs all requests of a connection from `peer`.
    pub fn router(self: &Arc<Self>, peer: SocketAddr) -> Router {
        Router::new().fallback(answer).with_state((Arc::clone(self), peer.ip().to_canonical()))
    }

    /// An entry of `projects/PROJECT/logs/run.googleapis.com%2Frequests`.
    fn log_entry(&self, request: &LoggedRequest<'_>) -> Value {
        let mut http_request = request.http_request();
        http_request.insert("protocol".to_owned(), json!("HTTP/1.1"));
        let project = &self.project;
        json!({
            "httpRequest": http_request,
            "insertId": format!("{:024x}", fastrand::u128(..) >> 32),
            "labels": {"instanceId": self.instance},
            "logName": format!("projects/{project}/logs/run.googleapis.com%2Frequests"),
            "receiveTimestamp": Timestamp::now().to_string(),
            "resource": {
                "labels": {
                    "configuration_name": SERVICE, "location": "us-central1", "project_id": project,
                    "revision_name": format!("{SERVICE}-00001-lcl"), "service_name": SERVICE,
                },
                "type": "cloud_run_revision",
            },
            "severity": severity(request.status),
            "spanId": random_span(),
            "timestamp": request.timestamp().to_string(),
            "trace": random_trace(project),
            "traceSampled": true,
        })
    }
}

fn severity(status: StatusCode) -> &'static str {
    match status.as_u16() {
        500.. => "ERROR",
        400.. => "WARNING",
        _ => "INFO",
    }
}

async fn answer(State((cloud_run, peer)): State<(Arc<CloudRun>, IpAddr)>, request: Request) -> Response {
    let (received, began) = (Timestamp::now(), Instant::now());
    let (head, body) = request.into_parts();
    pixel_server::discard(body).await;
    let answer = pixel_server::answer(&cloud_run.paths, &head.method, head.uri.path(), &head.headers);
    let body_size = if head.method == Method::HEAD { 0 } else { answer.body().len() };
    let entry = cloud_run.log_entry(&LoggedRequest {
        method: &head.method,
        uri: &head.uri,
        headers: &head.headers,
        remote_ip: remote_ip(peer, &head.headers),
        status: answer.status(),
        response_size: head_size(answer.status(), answer.headers()) + body_size,
        received,
        latency: began.elapsed(),
    });
    cloud_run.stats.record_request(false);
    cloud_run.sink.export(&entry);
    answer.map(Body::from)
}
