//! Load balancer, CDN and bucket: the pixel's URL, and the log entry that each request leaves.
//!
//! ```text
//! visitor ──▶ bucket (what is answered) ──▶ cdn (whether it was kept) ──▶ visitor
//!                                              └─▶ log_entry ──▶ log sink
//! ```
//!
//! Every request is logged, for the pixel or not, from the cache or not, as with a real backend
//! bucket. It decides nothing about which entries count: that is for the log sink and the service.

mod bucket;
mod cdn;
mod log_entry;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use jiff::Timestamp;
use tokio::time::Instant;

use self::bucket::Bucket;
use self::cdn::{CacheResult, Cdn};
use self::log_entry::{LoggedRequest, head_size};
use super::stats::Stats;
use super::log_sink::LogSink;

/// A load balancer with one backend bucket.
#[derive(Debug)]
pub struct LoadBalancer {
    project: String,
    bucket: Bucket,
    cdn: Cdn,
    cache_id: String,
    sink: LogSink,
    stats: Stats,
}

impl LoadBalancer {
    /// `project` is whose log the entries are in; `paths` are where the bucket has the pixel.
    pub fn new(project: &str, paths: Vec<String>, sink: LogSink, stats: Stats) -> Self {
        let cache_id = format!("LCL-{:08x}", fastrand::u32(..));
        Self { project: project.to_owned(), bucket: Bucket::new(paths), cdn: Cdn::default(), cache_id, sink, stats }
    }

    /// Answers everything that comes over a connection from `peer`, and logs it.
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
    let logged = LoggedRequest {
        method: &method,
        uri: &uri,
        headers: &headers,
        remote_ip: remote_ip(peer, &headers),
        status: answer.status(),
        response_size: head_size(answer.status(), answer.headers()) + body_size,
        cache,
        received,
        latency: began.elapsed(),
    };
    load_balancer.stats.record_request(cache == CacheResult::Hit);
    load_balancer.sink.export(&logged.log_entry(&load_balancer.project, &load_balancer.cache_id));
    answer.map(Body::from)
}

/// The visitor's address. On one machine all visitors have the same, so that there (and unlike the
/// real load balancer, which logs the address that connected) `X-Forwarded-For` is believed.
fn remote_ip(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let told = || headers.get("x-forwarded-for")?.to_str().ok()?.split(',').next()?.trim().parse().ok();
    if peer.is_loopback() { told().unwrap_or(peer) } else { peer }
}
