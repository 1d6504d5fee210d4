//! Load balancer, CDN and bucket: answer requests for the pixel, and log each request.
//!
//! ```text
//! visitor ──▶ bucket (answer) ──▶ cdn (cache lookup) ──▶ visitor
//!                                   └─▶ log_entry ──▶ log sink
//! ```
//!
//! Every request is logged, with any path, whether or not it was answered from the cache, as with a real backend bucket.
//! So are the CDN's own requests to the bucket. Log sink and service decide which entries count.

mod bucket;
mod cdn;
mod log_entry;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use jiff::Timestamp;
use tokio::time::Instant;

use self::bucket::Bucket;
use self::cdn::{CacheResult, Cdn};
use self::log_entry::CachedRequest;
use super::log_sink::LogSink;
use super::request_log::{LoggedRequest, head_size, remote_ip};
use super::stats::TopologyStats;
use crate::decode::PixelPaths;

/// Name of the URL map. Log entries also use it as the name of forwarding rule and target proxy.
pub(crate) const URL_MAP: &str = "pixel";

/// A load balancer with one backend bucket.
#[derive(Debug)]
pub struct LoadBalancer {
    project: String,
    bucket: Bucket,
    cdn: Cdn,
    cache_id: String,
    sink: LogSink,
    stats: TopologyStats,
}

impl LoadBalancer {
    /// `project` owns the log. `paths` are the pixel's names in the bucket.
    pub fn new(project: &str, paths: PixelPaths, sink: LogSink, stats: TopologyStats) -> Self {
        let cache_id = format!("LCL-{:08x}", fastrand::u32(..));
        Self { project: project.to_owned(), bucket: Bucket::new(paths), cdn: Cdn::new(cdn::MAX_AGE), cache_id, sink, stats }
    }

    /// With a CDN that validates its copies after this time.
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { cdn: Cdn::new(max_age), ..self }
    }

    /// Answers and logs all requests of a connection from `peer`.
    pub fn router(self: &Arc<Self>, peer: SocketAddr) -> Router {
        Router::new().fallback(answer).with_state((Arc::clone(self), peer.ip().to_canonical()))
    }
}

async fn answer(State((load_balancer, peer)): State<(Arc<LoadBalancer>, IpAddr)>, request: Request) -> Response {
    let (received, began) = (Timestamp::now(), Instant::now());
    let (Parts { method, uri, headers, .. }, _) = request.into_parts();
    let mut answer = load_balancer.bucket.answer(&method, uri.path(), &headers);
    let cache = load_balancer.cdn.process(&method, uri.path(), &mut answer, began);
    let body_size = if method == Method::HEAD { 0 } else { answer.body().len() };
    let request = LoggedRequest {
        method: &method,
        uri: &uri,
        headers: &headers,
        remote_ip: remote_ip(peer, &headers),
        status: answer.status(),
        response_size: head_size(answer.status(), answer.headers()) + body_size,
        received,
        latency: began.elapsed(),
    };
    let logged = CachedRequest { request, cache };
    let LoadBalancer { project, cache_id, sink, stats, .. } = &*load_balancer;
    let entry = logged.log_entry(project, cache_id);
    stats.record_request(cache.is_hit());
    sink.export(&entry);
    if cache == CacheResult::StaleHit {
        stats.record_request(false);
        sink.export(&logged.validation_entry(&entry, project, cache_id));
    }
    answer.map(Body::from)
}
