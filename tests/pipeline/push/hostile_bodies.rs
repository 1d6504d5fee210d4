//! The largest and worst bodies, sent to a real process: memory and time are bounded, and other requests continue.
//!
//! Each body has the maximum length. The process's peak memory is checked at the end.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::map_request;
use bytes::Bytes;
use clap::Parser;
use hyper::body::Frame;
use pixel_pipeline::admission::Admission;
use pixel_pipeline::config::ServeArgs;
use pixel_pipeline::google::Tokens;
use pixel_pipeline::service::assembly::Assembly;
use pixel_pipeline::source::auth::Gate;
use pixel_pipeline::source::http::server;
use pixel_pipeline::source::push::{self, Push};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::bigquery::PROJECT;
use crate::support::entry::wrapped;
use crate::support::{Entry, Service, TestBigQuery};

/// The maximum length of a body.
const MAX_BODY_BYTES: usize = 16 << 20;
/// The maximum peak memory of the process: less than an instance has, by default 512 MiB. NULs need the most: each is
/// three bytes of the query and six of the row, which is copied into the request.
const MAX_MEMORY_BYTES: u64 = 384 << 20;
/// For one body, in a debug build, on a busy machine. Long enough for linear work, and too short for quadratic work: the
/// bound is the feature.
const BODY_TIMEOUT: Duration = Duration::from_secs(300);
/// A deadline that a busy machine does not reach.
const LONG_DEADLINE: (&str, &str) = ("PUSH_DEADLINE", "240s");

/// A body of the maximum length: the repeated pattern between two texts.
fn filled(before: &str, pattern: &str, after: &str) -> String {
    let room = MAX_BODY_BYTES - before.len() - after.len();
    let body = format!("{before}{}{after}", pattern.repeat(room / pattern.len()));
    assert!(body.len() <= MAX_BODY_BYTES && body.len() + pattern.len() > MAX_BODY_BYTES);
    body
}

/// An unwrapped entry of the maximum length, whose query begins with a text and repeats the pattern.
fn query(before: &str, pattern: &str, after: &str) -> String {
    let entry = Entry::of_query(&format!("{before}MORE{after}")).json();
    let (before, after) = entry.split_once("MORE").unwrap();
    filled(before, pattern, after)
}

/// The same entry as the data of a message.
fn pushed(before: &str, pattern: &str) -> String {
    let entry = Entry::of_query(&format!("{before}MORE")).json();
    let (before, after) = entry.split_once("MORE").unwrap();
    let room = (MAX_BODY_BYTES - 1000) / 4 * 3 - entry.len();
    let body = wrapped(format!("{before}{}{after}", pattern.repeat(room / pattern.len())).as_bytes(), "1");
    assert!(body.len() <= MAX_BODY_BYTES);
    body
}

/// Sends a body, and returns the status of the answer.
async fn push(service: &Service, name: &str, body: impl Into<reqwest::Body>) -> u16 {
    let answer = tokio::time::timeout(BODY_TIMEOUT, service.push(body)).await;
    answer.unwrap_or_else(|_| panic!("{name} is never answered")).status
}

/// Checks that the next event is stored, the memory was bounded, and nothing panicked.
async fn check_health(service: Service) {
    const STORED: &str = "pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}";
    let before = service.metric(STORED).await;
    assert_eq!(service.push(Entry::of_query("user_id=other").pushed()).await.status, 204);
    assert_eq!(service.metric(STORED).await, before + 1.0);
    let peak = service.peak_memory();
    assert!(peak < MAX_MEMORY_BYTES, "{} MiB", peak >> 20);
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0));
    assert!(!log.iter().any(|line| line.contains("a panic, which is a bug")), "{log:#?}");
}

#[tokio::test]
async fn hostile_16_mib_bodies_take_bounded_memory_and_time() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[LONG_DEADLINE]).await;
    let deep = "[".repeat(MAX_BODY_BYTES / 2) + &"]".repeat(MAX_BODY_BYTES / 2);
    for (name, body, expected) in [
        ("open brackets", "[".repeat(MAX_BODY_BYTES), 400),
        ("brackets", deep, 400),
        ("objects in objects", filled("", "{\"message\":", ""), 400),
        ("brackets in an ignored member", filled("{\"insertId\":\"1\",\"jsonPayload\":", "[", ""), 400),
        ("nothing but NUL", "\0".repeat(MAX_BODY_BYTES), 400),
        ("one string", filled("{\"message\":{\"data\":\"", "a", ""), 400),
        ("a million members", filled("{\"message\":{\"data\":\"e30=\"}", ",\"a\":1", "}"), 204),
        ("escaped NUL in the base64", filled("{\"message\":{\"data\":\"", "\\u0000", "\"}}"), 503),
        ("a number without end", filled("{\"logName\":", "9", "}"), 503),
    ] {
        assert_eq!(push(&service, name, body).await, expected, "{name}");
    }
    check_health(service).await;
}

/// 204 for a row or a dead letter. 503 if even the dead letter exceeds BigQuery's limit.
#[tokio::test]
async fn hostile_16_mib_queries_take_bounded_memory_and_time() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[LONG_DEADLINE]).await;
    let million = |pattern: &str| Entry::of_query(&format!("user_id=u{}", pattern.repeat(1_000_000))).json();
    for (name, body) in [
        ("an escaped percent sign as the id", query("user_id=", "%25", "")),
        ("percent signs that are escaped twice", query("user_id=u&type=", "%2525", "")),
        ("NUL", query("user_id=u&type=", "%00", "")),
        ("percent signs alone", query("user_id=u&type=", "%", "")),
        ("half an escape at the end", query("user_id=u&type=", "%C3%A9", "%C")),
        ("bytes that are not UTF-8", query("user_id=u&type=", "%FF", "")),
        ("NUL in a message", pushed("user_id=u&type=", "%00")),
        ("ignored parameters", million("&x=1")),
        ("parameters that count", million("&type=1")),
        ("parameters without name or value", million("&")),
        ("names that have to be decoded", million("&%64n%74=0")),
    ] {
        let status = push(&service, name, body).await;
        assert!(matches!(status, 204 | 503), "{name}: {status}");
    }
    check_health(service).await;
}

/// Signatures and hashed ids are the most expensive: parameters are sorted, and each id is hashed. One megabyte, because
/// a debug build is slow.
#[tokio::test]
async fn hostile_signed_queries_take_bounded_memory_and_time() {
    let columns = ["order_id", "type", "user_id"].map(|name| json!({"name": name, "type": "STRING"}));
    let columns = [&columns[..], &[json!({"name": "signed", "type": "BOOLEAN"})]].concat();
    let bigquery = TestBigQuery::with_template(columns.into()).await;
    let key = "0123456789abcdef0123456789abcdef";
    let service =
        Service::start(&bigquery, &[LONG_DEADLINE, ("URL_SIGNING_KEY", key), ("SIGNATURE_MODE", "mark"), ("HASH_USER_IDS", key)]).await;
    let digits = "0".repeat(64);
    for (name, before, pattern) in [
        ("to be sorted", format!("user_id=u&sig={digits}"), "&b=1&a=1"),
        ("signatures", "user_id=u".to_owned(), "&sig=1"),
        ("ids", "user_id=u".to_owned(), "&user_id=1"),
    ] {
        let body = Entry::of_query(&format!("{before}{}", pattern.repeat((1 << 20) / pattern.len()))).pushed();
        assert_eq!(push(&service, name, body).await, 204, "{name}");
    }
    check_health(service).await;
}

/// Bodies with a Content-Length, and a chunked one.
#[tokio::test]
async fn bodies_beyond_the_limit_are_not_buffered() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[LONG_DEADLINE]).await;
    for length in [MAX_BODY_BYTES + 1, 4 * MAX_BODY_BYTES] {
        assert_eq!(push(&service, "too long", "[".repeat(length)).await, 413, "{length}");
    }
    let mut endless = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    endless.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = format!("100000\r\n{}\r\n", "[".repeat(1 << 20));
    let mut answer = Vec::new();
    let sent = async {
        for _ in 0..64 {
            if endless.write_all(chunk.as_bytes()).await.is_err() {
                break;
            }
        }
        let _ = endless.read_to_end(&mut answer).await;
    };
    tokio::time::timeout(BODY_TIMEOUT, sent).await.expect("the connection is closed");
    // The answer is lost if the connection is reset while the client writes.
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
    check_health(service).await;
}

/// A body that panics when it is read.
struct PanickingBody;

impl hyper::body::Body for PanickingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("a bug, made for a test")
    }
}

/// The settings of `serve`, as its command line has them.
#[derive(Parser)]
struct Serve {
    #[command(flatten)]
    args: ServeArgs,
}

#[tokio::test]
async fn a_panic_is_answered_and_other_requests_continue() {
    let bigquery = TestBigQuery::start().await;
    let serve = Serve::parse_from(["serve", "--bigquery-emulator-host", &bigquery.url, "--google-cloud-project", PROJECT]);
    let config = serve.args.load().await.unwrap();
    let parts = Assembly::start(&config, Tokens::None);
    let push = Push::new(parts.pipeline, Gate::Open, Admission::new(100, usize::MAX, 0), Duration::from_secs(20));
    let broken = map_request(async |request: Request| match request.headers().contains_key("x-bug") {
        true => request.map(|_| Body::new(PanickingBody)),
        false => request,
    });
    let router = push::router(push.into()).layer(broken);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(server::serve(listener, router, std::future::pending()));

    let body = Entry::of_query("user_id=u").pushed();
    let head = |more: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{more}Content-Length: {}\r\n\r\n", body.len());
    // Another request, of which half the body has arrived on its own connection.
    let mut other = TcpStream::connect(address).await.unwrap();
    let (half, rest) = body.split_at(body.len() / 2);
    other.write_all(format!("{}{half}", head("")).as_bytes()).await.unwrap();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{}{body}", head("X-Bug: 1\r\n")).as_bytes()).await.unwrap();
        assert_eq!(status(&mut stream).await, "503", "Pub/Sub redelivers the message");
    }
    other.write_all(rest.as_bytes()).await.unwrap();
    assert_eq!(status(&mut other).await, "204");
    other.write_all(format!("{}{body}", head("")).as_bytes()).await.unwrap();
    assert_eq!(status(&mut other).await, "204");
    let stored = bigquery.rows("pixel_u_20260102").await;
    assert_eq!(stored.len(), 1, "no row of the panicked requests");
    server.abort();
}

/// The status of the next answer, which has no body.
async fn status(stream: &mut TcpStream) -> String {
    let mut answer = [0; 4096];
    let count = tokio::time::timeout(BODY_TIMEOUT, stream.read(&mut answer)).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&answer[..count]).split(' ').nth(1).unwrap_or_default().to_owned()
}
