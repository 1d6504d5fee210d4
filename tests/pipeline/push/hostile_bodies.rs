//! The largest and worst bodies there can be, through the socket: what they may cost, and that nobody else pays.
//!
//! Each is as long as a body may be, and answered by a real process, whose memory is looked at in the end.

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

/// The longest body that is read.
const LIMIT: usize = 16 << 20;
/// Ever taken by the process, whatever comes one after the other: less than an instance has, by default 512 MiB. The
/// most comes from NULs: each is three bytes of the query, and six of the row, which is written into the request once more.
const MOST_MEMORY: u64 = 384 << 20;
/// For one body, in a debug build, on a machine that does much else: nothing is timed here, but work that grows with the
/// square of its input would never end.
const PATIENCE: Duration = Duration::from_secs(300);
/// So that how busy the machine is decides no answer.
const UNHURRIED: (&str, &str) = ("PUSH_DEADLINE", "240s");

/// A body of just the limit: the pattern between two texts, as often as it has room.
fn filled(before: &str, pattern: &str, after: &str) -> String {
    let room = LIMIT - before.len() - after.len();
    let body = format!("{before}{}{after}", pattern.repeat(room / pattern.len()));
    assert!(body.len() <= LIMIT && body.len() + pattern.len() > LIMIT);
    body
}

/// An unwrapped entry with that at the beginning of its query, and as much more of the pattern as there is room for.
fn query(before: &str, pattern: &str, after: &str) -> String {
    let entry = Entry::of_query(&format!("{before}MORE{after}")).json();
    let (before, after) = entry.split_once("MORE").unwrap();
    filled(before, pattern, after)
}

/// The same entry as the data of a message.
fn pushed(before: &str, pattern: &str) -> String {
    let entry = Entry::of_query(&format!("{before}MORE")).json();
    let (before, after) = entry.split_once("MORE").unwrap();
    let room = (LIMIT - 1000) / 4 * 3 - entry.len();
    let body = wrapped(format!("{before}{}{after}", pattern.repeat(room / pattern.len())).as_bytes(), "1");
    assert!(body.len() <= LIMIT);
    body
}

/// Sends it, and waits for the answer.
async fn push(service: &Service, name: &str, body: impl Into<reqwest::Body>) -> u16 {
    let answer = tokio::time::timeout(PATIENCE, service.push(body)).await;
    answer.unwrap_or_else(|_| panic!("{name} is never answered")).status
}

/// The next one is stored, no memory was wasted, and nothing panicked.
async fn live_on(service: Service) {
    const STORED: &str = "pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}";
    let before = service.metric(STORED).await;
    assert_eq!(service.push(Entry::of_query("user_id=neighbour").pushed()).await.status, 204);
    assert_eq!(service.metric(STORED).await, before + 1.0);
    let peak = service.peak_memory();
    assert!(peak < MOST_MEMORY, "{} MiB", peak >> 20);
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0));
    assert!(!log.iter().any(|line| line.contains("a panic, which is a bug")), "{log:#?}");
}

#[tokio::test]
async fn bodies_of_16_mebibytes_of_nonsense_take_little_memory_and_work() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[UNHURRIED]).await;
    let deep = "[".repeat(LIMIT / 2) + &"]".repeat(LIMIT / 2);
    for (name, body, expected) in [
        ("open brackets", "[".repeat(LIMIT), 400),
        ("brackets", deep, 400),
        ("objects in objects", filled("", "{\"message\":", ""), 400),
        ("brackets in a member that nobody reads", filled("{\"insertId\":\"1\",\"jsonPayload\":", "[", ""), 400),
        ("nothing but NUL", "\0".repeat(LIMIT), 400),
        ("one string", filled("{\"message\":{\"data\":\"", "a", ""), 400),
        ("a million members", filled("{\"message\":{\"data\":\"e30=\"}", ",\"a\":1", "}"), 204),
        ("escaped NUL in the base64", filled("{\"message\":{\"data\":\"", "\\u0000", "\"}}"), 503),
        ("a number without end", filled("{\"logName\":", "9", "}"), 503),
    ] {
        assert_eq!(push(&service, name, body).await, expected, "{name}");
    }
    live_on(service).await;
}

/// 204, where they become a row or a dead letter; 503, where even the dead letter is larger than what BigQuery takes.
#[tokio::test]
async fn queries_of_16_mebibytes_and_of_a_million_parameters_take_little_memory_and_work() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[UNHURRIED]).await;
    let million = |pattern: &str| Entry::of_query(&format!("user_id=u{}", pattern.repeat(1_000_000))).json();
    for (name, body) in [
        ("an escaped percent sign as the id", query("user_id=", "%25", "")),
        ("percent signs that are escaped twice", query("user_id=u&type=", "%2525", "")),
        ("NUL", query("user_id=u&type=", "%00", "")),
        ("percent signs alone", query("user_id=u&type=", "%", "")),
        ("half an escape at the end", query("user_id=u&type=", "%C3%A9", "%C")),
        ("bytes that are no UTF-8", query("user_id=u&type=", "%FF", "")),
        ("NUL in a message", pushed("user_id=u&type=", "%00")),
        ("parameters that nobody reads", million("&x=1")),
        ("parameters that count", million("&type=1")),
        ("parameters without name or value", million("&")),
        ("names that have to be decoded", million("&%64n%74=0")),
    ] {
        let status = push(&service, name, body).await;
        assert!(matches!(status, 204 | 503), "{name}: {status}");
    }
    live_on(service).await;
}

/// A stranger who knows of signatures and of hashed ids makes for the most work: sorting, and a hash of each id. With
/// a megabyte of them, because a debug build takes its time.
#[tokio::test]
async fn signed_queries_of_a_megabyte_take_little_memory_and_work() {
    let columns = ["order_id", "type", "user_id"].map(|name| json!({"name": name, "type": "STRING"}));
    let columns = [&columns[..], &[json!({"name": "signed", "type": "BOOLEAN"})]].concat();
    let bigquery = TestBigQuery::with_template(columns.into()).await;
    let key = "0123456789abcdef0123456789abcdef";
    let service =
        Service::start(&bigquery, &[UNHURRIED, ("URL_SIGNING_KEY", key), ("SIGNATURE_MODE", "mark"), ("HASH_USER_IDS", key)]).await;
    let digits = "0".repeat(64);
    for (name, before, pattern) in [
        ("to be sorted", format!("user_id=u&sig={digits}"), "&b=1&a=1"),
        ("signatures", "user_id=u".to_owned(), "&sig=1"),
        ("ids", "user_id=u".to_owned(), "&user_id=1"),
    ] {
        let body = Entry::of_query(&format!("{before}{}", pattern.repeat((1 << 20) / pattern.len()))).pushed();
        assert_eq!(push(&service, name, body).await, 204, "{name}");
    }
    live_on(service).await;
}

/// One that says how long it is, one that says too little of itself, and one that never says.
#[tokio::test]
async fn bodies_beyond_the_limit_are_not_kept() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[UNHURRIED]).await;
    for length in [LIMIT + 1, 4 * LIMIT] {
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
    tokio::time::timeout(PATIENCE, sent).await.expect("it is cut off");
    // The answer may be lost, where the connection is reset while more is written.
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
    live_on(service).await;
}

/// A body that is a bug in whoever reads it.
struct Bug;

impl hyper::body::Body for Bug {
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
async fn a_panic_in_one_request_is_answered_and_leaves_the_others_alone() {
    let bigquery = TestBigQuery::start().await;
    let serve = Serve::parse_from(["serve", "--bigquery-emulator-host", &bigquery.url, "--google-cloud-project", PROJECT]);
    let config = serve.args.load().await.unwrap();
    let parts = Assembly::start(&config, Tokens::None).unwrap();
    let push = Push::new(parts.pipeline, Gate::Open, 100, Duration::from_secs(20));
    let broken = map_request(async |request: Request| match request.headers().contains_key("x-bug") {
        true => request.map(|_| Body::new(Bug)),
        false => request,
    });
    let router = push::router(push.into()).layer(broken);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(server::serve(listener, router, std::future::pending()));

    let body = Entry::of_query("user_id=u").pushed();
    let head = |more: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{more}Content-Length: {}\r\n\r\n", body.len());
    // A neighbour whose body is half here, on a connection of its own.
    let mut neighbour = TcpStream::connect(address).await.unwrap();
    let (half, rest) = body.split_at(body.len() / 2);
    neighbour.write_all(format!("{}{half}", head("")).as_bytes()).await.unwrap();
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{}{body}", head("X-Bug: 1\r\n")).as_bytes()).await.unwrap();
        assert_eq!(status(&mut stream).await, "503", "Pub/Sub sends it again");
    }
    neighbour.write_all(rest.as_bytes()).await.unwrap();
    assert_eq!(status(&mut neighbour).await, "204");
    neighbour.write_all(format!("{}{body}", head("")).as_bytes()).await.unwrap();
    assert_eq!(status(&mut neighbour).await, "204");
    let stored = bigquery.rows("pixel_u_20260102").await;
    assert_eq!(stored.len(), 1, "and nothing of the others");
    server.abort();
}

/// Of the next answer, which has no body.
async fn status(stream: &mut TcpStream) -> String {
    let mut answer = [0; 4096];
    let count = tokio::time::timeout(PATIENCE, stream.read(&mut answer)).await.expect("an answer").unwrap();
    String::from_utf8_lossy(&answer[..count]).split(' ').nth(1).unwrap_or_default().to_owned()
}
