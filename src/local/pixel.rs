//! The pixel, and the log entry that each request for it leaves.
//!
//! As the load balancer with its backend bucket: every request is logged, for the pixel or not.
//! Unlike it, the answer is `no-store`, so that trying it twice in a browser counts twice.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, REFERER, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::subscription::Topic;

/// 1×1, transparent.
const PIXEL: &[u8] = include_bytes!("../../deploy/pixel.png");
/// Where the bucket has it.
const PATH: &str = "/pixel.png";

/// What the load balancer knows of itself.
#[derive(Debug)]
pub struct LoadBalancer {
    /// The project in whose log the entries are.
    pub project: String,
    /// Where the log sink publishes to.
    pub topic: Topic,
}

/// Answers `GET` and `HEAD /pixel.png`, and everything else with 404; logs all.
pub fn router(load_balancer: LoadBalancer) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(load_balancer))
}

async fn serve(State(load_balancer): State<Arc<LoadBalancer>>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let found = uri.path() == PATH && matches!(method, Method::GET | Method::HEAD);
    let status = if found { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let entry = log_entry(&load_balancer.project, &method, &uri, &headers, status, Timestamp::now());
    load_balancer.topic.publish(entry.to_string().into_bytes());
    match found {
        true => ([(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "no-store")], PIXEL).into_response(),
        false => (StatusCode::NOT_FOUND, format!("there is only {PATH} here\n")).into_response(),
    }
}

/// An entry of `projects/P/logs/requests`, with the members that a backend bucket's entries have.
fn log_entry(project: &str, method: &Method, uri: &Uri, headers: &HeaderMap, status: StatusCode, now: Timestamp) -> Value {
    let header = |name: HeaderName| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let host = header(HOST).unwrap_or_else(|| "localhost".to_owned());
    let trace = format!("{:032x}", fastrand::u128(1..));
    let mut request = Map::from_iter([
        ("requestMethod".to_owned(), json!(method.as_str())),
        ("requestUrl".to_owned(), json!(format!("http://{host}{uri}"))),
        ("status".to_owned(), json!(status.as_u16())),
        ("responseSize".to_owned(), json!(PIXEL.len().to_string())),
        ("remoteIp".to_owned(), json!("127.0.0.1")),
        ("latency".to_owned(), json!("0.000100s")),
    ]);
    // The sender leaves out what is empty.
    request.extend(header(USER_AGENT).map(|agent| ("userAgent".to_owned(), json!(agent))));
    request.extend(header(REFERER).map(|referer| ("referer".to_owned(), json!(referer))));
    json!({
        "httpRequest": request,
        "insertId": std::iter::repeat_with(|| fastrand::digit(36)).take(14).collect::<String>(),
        "jsonPayload": {
            "@type": "type.googleapis.com/google.cloud.loadbalancing.type.LoadBalancerLogEntry",
            "remoteIp": "127.0.0.1",
            "statusDetails": "response_sent_by_backend",
        },
        "logName": format!("projects/{project}/logs/requests"),
        "receiveTimestamp": now.to_string(),
        "resource": {
            "labels": {
                "backend_service_name": "", "forwarding_rule_name": "pixel", "project_id": project,
                "target_proxy_name": "pixel", "url_map_name": "pixel", "zone": "global",
            },
            "type": "http_load_balancer",
        },
        "severity": if status.is_success() { "INFO" } else { "WARNING" },
        "spanId": &trace[16..],
        "timestamp": now.to_string(),
        "trace": format!("projects/{project}/traces/{trace}"),
    })
}

/// The pixel's URL at that address.
pub fn url(address: SocketAddr) -> String {
    format!("http://{address}{PATH}")
}
