//! The pixel of `local`: answers and log entries of load balancer, CDN and bucket, and of Cloud Run.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use flate2::Crc;
use flate2::read::ZlibDecoder;
use pixel_pipeline::decode::PixelPaths;
use pixel_pipeline::local::cloud_run::CloudRun;
use pixel_pipeline::local::front::FrontKind;
use pixel_pipeline::local::load_balancer::LoadBalancer;
use pixel_pipeline::local::log_sink::LogSink;
use pixel_pipeline::local::pubsub::{DeadLetterTopic, PushSubscription, SubscriptionPolicy, Topic};
use pixel_pipeline::local::stats::TopologyStats;
use pixel_pipeline::source::http::server;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::support::bigquery::TempDir;
use crate::support::entry::fixture;
use crate::support::local::Local;
use crate::support::service::TIMEOUT;

/// A load balancer, or the pixel on Cloud Run, whose log entries are pushed to the test.
struct Edge {
    url: String,
    pushed: mpsc::UnboundedReceiver<Value>,
    stats: TopologyStats,
    http: reqwest::Client,
    _end: watch::Sender<Option<tokio::time::Instant>>,
}

async fn serve(routes: impl Fn(SocketAddr) -> Router + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { server::serve_each(listener, routes, std::future::pending()).await });
    url
}

impl Edge {
    async fn start() -> Self {
        Self::with_max_age(Duration::from_secs(60)).await
    }

    /// With a CDN that validates its copies after this time.
    async fn with_max_age(max_age: Duration) -> Self {
        Self::with_front(FrontKind::LoadBalancer, |paths, sink, stats| {
            let load_balancer = Arc::new(LoadBalancer::new("p", paths, sink, stats).with_max_age(max_age));
            move |peer| load_balancer.router(peer)
        })
        .await
    }

    async fn cloud_run() -> Self {
        Self::with_front(FrontKind::CloudRun, |paths, sink, stats| {
            let cloud_run = Arc::new(CloudRun::new("p", paths, sink, stats));
            move |peer| cloud_run.router(peer)
        })
        .await
    }

    async fn with_front<R>(front: FrontKind, routes: impl FnOnce(PixelPaths, LogSink, TopologyStats) -> R) -> Self
    where
        R: Fn(SocketAddr) -> Router + Send + 'static,
    {
        let (bodies, pushed) = mpsc::unbounded_channel();
        let endpoint = async |State(bodies): State<mpsc::UnboundedSender<Value>>, body: String| {
            let _ = bodies.send(serde_json::from_str(&body).unwrap());
        };
        let push = Router::new().fallback(endpoint).with_state(bodies);
        let push = serve(move |_| push.clone()).await;
        let stats = TopologyStats::default();
        let (topic, published) = Topic::new(stats.clone());
        let letters = DeadLetterTopic::new("p").into();
        let subscription = PushSubscription::new(published, push, "p", SubscriptionPolicy::default(), letters, stats.clone()).unwrap();
        let (end, ended) = watch::channel(None);
        tokio::spawn(subscription.run(ended));
        let paths = PixelPaths::parse("/pixel.png").unwrap();
        let sink = LogSink::new(front, &paths, topic, stats.clone());
        let url = serve(routes(paths, sink, stats.clone())).await;
        Self { url, pushed, stats, http: reqwest::Client::builder().no_proxy().build().unwrap(), _end: end }
    }

    async fn ask(&self, method: Method, target: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.http.request(method, format!("{}{target}", self.url));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }

    /// The next log entry that is pushed, and the push request that contains it.
    async fn entry(&mut self) -> (Value, Value) {
        use base64::Engine as _;
        let body = tokio::time::timeout(TIMEOUT, self.pushed.recv()).await.expect("an entry is pushed").unwrap();
        let data = base64::engine::general_purpose::STANDARD.decode(body["message"]["data"].as_str().unwrap()).unwrap();
        (serde_json::from_slice(&data).unwrap(), body)
    }
}

#[tokio::test]
async fn the_pixel_is_a_valid_png_and_is_revalidated() {
    let edge = Edge::start().await;
    let answer = edge.ask(Method::GET, "/pixel.png?user_id=u", &[]).await;
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("cache-control"), "public, max-age=0");
    let (etag, length) = (header("etag"), header("content-length"));
    let png = answer.bytes().await.unwrap();
    assert_eq!(length, png.len().to_string());
    let chunks = png_chunks(&png);
    let names: Vec<&[u8]> = chunks.iter().map(|(name, _)| name.as_slice()).collect();
    assert_eq!((names.first(), names.last()), (Some(&b"IHDR".as_slice()), Some(&b"IEND".as_slice())));
    let header = &chunks[0].1;
    assert_eq!((&header[..4], &header[4..8]), ([0, 0, 0, 1].as_slice(), [0, 0, 0, 1].as_slice()), "1 by 1");
    let data: Vec<u8> = chunks.iter().filter(|(name, _)| name == b"IDAT").flat_map(|(_, data)| data.clone()).collect();
    let mut scanline = Vec::new();
    ZlibDecoder::new(data.as_slice()).read_to_end(&mut scanline).unwrap();
    assert!(!scanline.is_empty());

    let again = edge.ask(Method::GET, "/pixel.png?user_id=u", &[("if-none-match", &etag)]).await;
    assert_eq!((again.status().as_u16(), again.headers()["etag"].to_str().unwrap()), (304, etag.as_str()));
    assert_eq!(again.bytes().await.unwrap().len(), 0);
}

/// Name and data of each chunk of a PNG file. Checks the checksums.
fn png_chunks(png: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
    let mut rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n").expect("the signature of a PNG");
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
        let (chunk, after) = rest[4..].split_at(4 + length);
        let mut crc = Crc::new();
        crc.update(chunk);
        assert_eq!(after[..4], crc.sum().to_be_bytes());
        chunks.push((chunk[..4].try_into().unwrap(), chunk[4..].to_vec()));
        rest = &after[4..];
    }
    chunks
}

#[tokio::test]
async fn other_requests_are_answered_like_cloud_storage() {
    let edge = Edge::start().await;
    for (method, target, status, code) in [
        (Method::GET, "/favicon.ico", 404, "NoSuchKey"),
        (Method::GET, "/pixel.png/", 404, "NoSuchKey"),
        (Method::GET, "/%3Cscript%3E?<b>", 404, "NoSuchKey"),
        (Method::POST, "/pixel.png", 405, "MethodNotAllowed"),
        (Method::PUT, "/pixel.png", 403, "AccessDenied"),
        (Method::DELETE, "/pixel.png", 403, "AccessDenied"),
    ] {
        let answer = edge.ask(method.clone(), target, &[]).await;
        assert_eq!(answer.status(), status, "{method} {target}");
        assert_eq!(answer.headers()["content-type"], "application/xml; charset=UTF-8");
        let body = answer.text().await.unwrap();
        assert!(body.contains(&format!("<Error><Code>{code}</Code>")) && !body.contains("<script"), "{body}");
    }
    let head = edge.ask(Method::HEAD, "/pixel.png", &[]).await;
    assert_eq!((head.status().as_u16(), &head.headers()["content-length"]), (200, &"68".parse().unwrap()));
}

/// The paths of all scalar members and arrays.
fn members(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(object) => {
            object.iter().flat_map(|(name, value)| members(value).into_iter().map(move |member| format!("/{name}{member}"))).collect()
        }
        _ => BTreeSet::from([String::new()]),
    }
}

#[tokio::test]
async fn log_entries_have_the_members_of_real_ones() {
    let mut edge = Edge::start().await;
    let real = |name: &str| serde_json::from_str::<Value>(&fixture(&format!("entries/classic_backend_bucket_{name}.json"))).unwrap();
    let headers = [("user-agent", "Mozilla/5.0 \"é\""), ("referer", "https://www.example.com/order")];

    edge.ask(Method::GET, "/pixel.png?user_id=u&a=%zz", &headers).await;
    let (miss, body) = edge.entry().await;
    assert_eq!(members(&miss), members(&real("cache_miss")));
    assert_eq!(miss["httpRequest"]["requestUrl"], format!("{}/pixel.png?user_id=u&a=%zz", edge.url));
    assert_eq!(miss["httpRequest"]["userAgent"], "Mozilla/5.0 \"é\"");
    assert_eq!(miss["httpRequest"]["cacheFillBytes"], miss["httpRequest"]["responseSize"]);
    assert_eq!(miss["jsonPayload"]["statusDetails"], "response_sent_by_backend");
    assert_eq!(body["message"]["attributes"]["logging.googleapis.com/timestamp"], miss["timestamp"]);
    assert_eq!(body["message"]["messageId"], body["message"]["message_id"]);
    assert_eq!(body["subscription"], "projects/p/subscriptions/pixel-push");

    // Another query has the same cache key.
    edge.ask(Method::GET, "/pixel.png?user_id=v", &headers).await;
    let (hit, _) = edge.entry().await;
    let mut expected = members(&real("cache_hit"));
    // Real entries also have this member. The fixture lacks it.
    expected.insert("/jsonPayload/cacheDecision".to_owned());
    assert_eq!(members(&hit), expected);
    assert_eq!((&hit["httpRequest"]["cacheHit"], &hit["jsonPayload"]["statusDetails"]), (&true.into(), &"response_from_cache".into()));
    assert_ne!(hit["insertId"], miss["insertId"]);
    assert_eq!((edge.stats.counts().requests, edge.stats.counts().cache_hits), (2, 1));
}

#[tokio::test]
async fn log_entries_of_cloud_run_have_the_members_of_real_ones() {
    let mut edge = Edge::cloud_run().await;
    let mut expected = members(&serde_json::from_str(&fixture("entries/cloud_run.json")).unwrap());
    // The address of Google's server.
    expected.remove("/httpRequest/serverIp");
    for (method, target, status, severity) in [
        (Method::GET, "/pixel.png?user_id=u&a=%zz", 200, "INFO"),
        (Method::POST, "/pixel.png?user_id=u", 204, "INFO"),
        (Method::GET, "/x?/pixel.png", 404, "WARNING"),
    ] {
        edge.ask(method.clone(), target, &[("user-agent", "Mozilla/5.0")]).await;
        let (entry, _) = edge.entry().await;
        assert_eq!(members(&entry), expected, "{method} {target}");
        let request = &entry["httpRequest"];
        assert_eq!(request["requestUrl"], format!("{}{target}", edge.url));
        assert_eq!((&request["requestMethod"], &request["status"]), (&method.as_str().into(), &status.into()), "{target}");
        assert_eq!(entry["severity"], severity, "{method} {target}");
    }
    edge.ask(Method::GET, "/favicon.ico", &[]).await;
    let counts = edge.stats.counts();
    assert_eq!((counts.requests, counts.excluded, counts.published, counts.cache_hits), (4, 1, 3, 0));
}

#[tokio::test]
async fn every_request_is_logged_and_the_sink_filters_by_path() {
    let mut edge = Edge::start().await;
    for (method, target) in
        [(Method::GET, "/favicon.ico"), (Method::HEAD, "/pixel.png"), (Method::POST, "/pixel.png"), (Method::GET, "/x?/pixel.png")]
    {
        edge.ask(method, target, &[]).await;
    }
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (entry, _) = edge.entry().await;
        let request = &entry["httpRequest"];
        seen.push(format!("{} {} {}", request["requestMethod"].as_str().unwrap(), request["status"], entry["severity"].as_str().unwrap()));
    }
    seen.sort();
    assert_eq!(seen, ["GET 404 WARNING", "HEAD 200 INFO", "POST 405 WARNING"]);
    let counts = edge.stats.counts();
    assert_eq!((counts.requests, counts.excluded, counts.published), (4, 1, 3));
}

#[tokio::test]
async fn the_sink_excludes_the_requests_of_the_cdn_itself() {
    let mut edge = Edge::with_max_age(Duration::ZERO).await;
    for user in ["u1", "u2", "u3"] {
        edge.ask(Method::GET, &format!("/pixel.png?user_id={user}"), &[("user-agent", "Mozilla/5.0")]).await;
        let (entry, _) = edge.entry().await;
        assert!(entry["httpRequest"]["requestUrl"].as_str().unwrap().ends_with(user), "{entry}");
        assert_eq!(entry["httpRequest"]["userAgent"], "Mozilla/5.0");
    }
    edge.ask(Method::GET, "/pixel.png?user_id=u4", &[("user-agent", "Cloud-CDN-Google (GFE/2.0)")]).await;
    let counts = edge.stats.counts();
    // The first request fills the cache, and each later one is followed by a validation.
    assert_eq!((counts.requests, counts.cache_hits, counts.published, counts.excluded), (7, 3, 3, 4));
}

#[tokio::test]
async fn remote_ip_is_the_peer_or_x_forwarded_for() {
    let mut edge = Edge::start().await;
    for (forwarded_for, expected) in
        [("", "127.0.0.1"), ("203.0.113.7, 10.0.0.1", "203.0.113.7"), ("2001:db8::1", "2001:db8::1"), ("invalid", "127.0.0.1")]
    {
        edge.ask(Method::GET, "/pixel.png", &[("x-forwarded-for", forwarded_for)]).await;
        let (entry, _) = edge.entry().await;
        assert_eq!(
            (&entry["httpRequest"]["remoteIp"], &entry["jsonPayload"]["remoteIp"]),
            (&expected.into(), &expected.into()),
            "{forwarded_for}"
        );
    }
}

#[tokio::test]
async fn only_get_requests_of_the_pixel_become_rows() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[("TABLE_SUFFIX", "")]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let elsewhere = local.pixel.replace("/pixel.png", "/elsewhere?user_id=u&of=/pixel.png");
    assert_eq!(http.get(&elsewhere).send().await.unwrap().status(), 404);
    assert_eq!(http.post(format!("{}?user_id=u", local.pixel)).send().await.unwrap().status(), 405);
    assert_eq!(http.head(format!("{}?user_id=u", local.pixel)).send().await.unwrap().status(), 200);
    for (reason, count) in [("path", 1.0), ("method", 2.0)] {
        let label = format!("pixel_pipeline_deliveries_total{{outcome=\"filtered\",reason=\"{reason}\"}}");
        local.wait_until(&label, async || local.metric(&label).await >= count).await;
    }
    assert_eq!(local.column("pixel", "event_id").await, Vec::<String>::new());
}

#[tokio::test]
async fn the_pixel_is_served_at_every_path_with_a_prefix() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[("TABLE_SUFFIX", ""), ("PIXEL_PATH", "/öffnen/*")]).await;
    assert!(local.pixel.ends_with("/%C3%B6ffnen/pixel.png"), "{}", local.pixel);
    assert_eq!(local.fire("user_id=u").await.status(), 200);
    let other = local.pixel.replace("/pixel.png", "/a/b.gif?user_id=u");
    assert_eq!(reqwest::Client::builder().no_proxy().build().unwrap().get(other).send().await.unwrap().status(), 200);
    local.wait_for_rows("pixel", 2).await;
}

#[tokio::test]
async fn the_pixel_is_served_at_every_path_of_pixel_path() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[("TABLE_SUFFIX", ""), ("PIXEL_PATH", "/t.gif,/p/o.png")]).await;
    assert!(local.pixel.ends_with("/t.gif"), "{}", local.pixel);
    assert_eq!(local.fire("user_id=u").await.status(), 200);
    let other = local.pixel.replace("/t.gif", "/p/o.png?user_id=u");
    assert_eq!(reqwest::Client::builder().no_proxy().build().unwrap().get(other).send().await.unwrap().status(), 200);
    local.wait_for_rows("pixel", 2).await;
}
