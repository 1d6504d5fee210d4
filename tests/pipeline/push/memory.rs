//! Memory under large and many bodies, and under many connections.

use std::sync::Arc;

use axum::body::Bytes;
use bigquery_emulator::Fault;
use pixel_pipeline::source::push::DELIVERY_BYTES;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::entry::wrapped;
use crate::support::gate::{bigquery_behind, silence};
use crate::support::memory_group::MemoryGroup;
use crate::support::service::command;
use crate::support::wait::{wait_until, within};
use crate::support::{Entry, Service, TestBigQuery};

const MIB: u64 = 1 << 20;
const BYTES_EXHAUSTED: &str = "pixel_pipeline_deliveries_total{outcome=\"saturated\",reason=\"in_flight_bytes\"}";
/// Besides bodies: buffers of connections, rounding of the allocator, and code that is loaded on first use.
const FIXED_BYTES: u64 = 16 * MIB;
/// Peak memory for each byte of the bodies in flight.
const MAX_RATIO: u64 = 3;
/// A deadline that a busy machine does not reach.
const LONG_DEADLINE: (&str, &str) = ("PUSH_DEADLINE", "240s");

/// A service that has stored a row and a dead letter, and its memory then.
async fn warm(bigquery: &TestBigQuery, settings: &[(&str, &str)]) -> (Service, u64) {
    let service = Service::start(bigquery, settings).await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    assert_eq!(service.push(wrapped(b"{", "1")).await.status, 204);
    let memory = service.memory();
    (service, memory)
}

fn check_peak(service: &Service, before: u64, in_flight: u64, name: &str) {
    let (peak, max) = (service.peak_memory() - before, MAX_RATIO * in_flight + FIXED_BYTES);
    assert!(peak <= max, "{name}: {} MiB for {} MiB in flight", peak / MIB, in_flight / MIB);
}

async fn wait_until_returned(service: &Service, before: u64) {
    wait_until("the memory is returned to the system", async || service.memory() < before + FIXED_BYTES).await;
}

/// The body of a push with an entry of that length, whose query repeats the pattern.
fn entry(pattern: &str, length: u64) -> String {
    let in_json = serde_json::to_string(pattern).unwrap().len() - 2;
    Entry::of_query(&format!("user_id=u&type={}", pattern.repeat(length as usize / in_json))).pushed()
}

/// About 15 MiB.
fn large(pattern: &str) -> String {
    entry(pattern, 11 * MIB)
}

#[tokio::test]
async fn a_byte_of_a_body_takes_at_most_three_of_memory() {
    let bigquery = TestBigQuery::start().await;
    let dead_letter = |byte: u8| wrapped(&[b"{\"a\":\"", &vec![byte; 11 * MIB as usize][..]].concat(), "1");
    let not_base64 = json!({"message": {"data": "!".repeat(15 * MIB as usize), "messageId": "1"}}).to_string();
    for (name, body) in [
        ("an attribute", large("a")),
        ("other parameters", large("&x=1")),
        ("escaped in the row", large("%00")),
        ("escaped in the entry", large("\"\\")),
        ("control characters", large("\u{1}")),
        ("escaped base64", entry("?~?", 9 * MIB).replace('/', "\\/")),
        ("invalid JSON", dead_letter(b'a')),
        ("invalid UTF-8", dead_letter(0xff)),
        ("invalid base64", not_base64),
    ] {
        let length = body.len() as u64;
        assert!((14 * MIB..=16 * MIB).contains(&length), "{name}: {length}");
        let (service, before) = warm(&bigquery, &[LONG_DEADLINE]).await;
        let status = service.push(body).await.status;
        assert!(matches!(status, 204 | 503), "{name}: {status}");
        check_peak(&service, before, length, name);
        wait_until_returned(&service, before).await;
    }
}

#[tokio::test]
async fn large_bodies_at_once_take_bounded_memory() {
    let bigquery = TestBigQuery::start().await;
    let in_flight = 48 * MIB;
    let (service, before) = warm(&bigquery, &[LONG_DEADLINE, ("MAX_IN_FLIGHT_BYTES", &in_flight.to_string())]).await;
    let (service, body) = (Arc::new(service), Bytes::from(large("&x=1")));
    let pushes: JoinSet<u16> = (0..24).map(|_| push(&service, body.clone())).collect();
    let statuses = pushes.join_all().await;
    assert!(statuses.iter().all(|status| matches!(status, 204 | 503 | 429)), "{statuses:?}");
    assert!(statuses.contains(&429) && statuses.iter().any(|status| *status != 429), "{statuses:?}");
    check_peak(&service, before, in_flight, "24 bodies");
    wait_until_returned(&service, before).await;
}

#[tokio::test]
async fn rows_that_wait_for_bigquery_take_bounded_memory() {
    let bigquery = bigquery_behind(|request, body| (request.ends_with("/insertAll") && body.len() > 64 << 10).then(silence)).await;
    let in_flight = 24 * MIB;
    // Payload and row. JSON writes a NUL, which is three bytes in a URL, as six.
    for (pattern, bytes) in [("a", 130 << 10), ("%00", 194 << 10)] {
        let (service, before) = warm(&bigquery, &[("PUSH_DEADLINE", "20s"), ("MAX_IN_FLIGHT_BYTES", &in_flight.to_string())]).await;
        let (service, body) = (Arc::new(service), Bytes::from(entry(pattern, 64 << 10)));
        let mut pushes: JoinSet<u16> = (0..400).map(|_| push(&service, body.clone())).collect();
        let first = within("a push is rejected", pushes.join_next()).await.unwrap().unwrap();
        assert_eq!(first, 429);
        service.wait_for_pending_rows(in_flight as usize / (bytes + DELIVERY_BYTES)).await;
        check_peak(&service, before, in_flight, pattern);
    }
}

#[tokio::test]
async fn a_row_beyond_max_in_flight_bytes_is_nacked() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[LONG_DEADLINE, ("MAX_IN_FLIGHT_BYTES", "200000")]).await);
    let gate = Arc::new(Semaphore::new(0));
    bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
    let held = tokio::spawn(push(&service, entry("a", 100).into()));
    service.wait_for_pending_rows(1).await;
    // The body has 80 KB, the payload 60 KB and the row 120 KB.
    let large = Bytes::from(entry("%00", 60_000));
    assert!(large.len() < 100_000);
    assert_eq!(push(&service, large.clone()).await, 429);
    assert_eq!(service.metric(BYTES_EXHAUSTED).await, 1.0);
    assert_eq!(service.metric("pixel_pipeline_pending_rows").await, 1.0, "BigQuery did not get it");
    gate.add_permits(1000);
    assert_eq!(held.await.unwrap(), 204);
    for _ in 0..2 {
        assert_eq!(push(&service, large.clone()).await, 204, "alone");
    }
    assert_eq!(service.metric("pixel_pipeline_in_flight_bytes").await, 0.0);
}

/// A message whose values take more memory as rows and while they are decoded than as text.
#[tokio::test]
async fn many_short_values_take_bounded_memory() {
    let column = |name: &str, mode: &str| json!({"name": name, "type": "STRING", "mode": mode});
    let columns = [("user_id", "NULLABLE"), ("type", "NULLABLE"), ("t", "REPEATED"), ("request_url", "NULLABLE")];
    let columns: Value = columns.iter().map(|(name, mode)| column(name, mode)).collect();
    let bigquery = TestBigQuery::with_template(columns).await;
    let settings = [LONG_DEADLINE, ("VALID_ATTRIBUTES", "user_id,type,t"), ("HASH_USER_IDS", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")];
    for hashed in ["user_id", "user_id,t"] {
        for pattern in ["&t=1", "&amp;t=1", "&user_id=1", "&type=1", "&x=1", "&", "&t", "%25"] {
            let (service, before) = warm(&bigquery, &[&settings[..], &[("HASH_ATTRIBUTES", hashed)]].concat()).await;
            let body = large(pattern);
            let length = body.len() as u64;
            let status = service.push(body).await.status;
            assert!(matches!(status, 204 | 503), "{pattern}: {status}");
            check_peak(&service, before, length, &format!("{pattern} with {hashed}"));
        }
    }
}

/// The status of a push.
fn push(service: &Arc<Service>, body: Bytes) -> impl Future<Output = u16> + Send + use<> {
    let service = Arc::clone(service);
    async move { service.push(body).await.status }
}

#[tokio::test]
async fn bodies_beyond_max_in_flight_bytes_are_nacked() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[LONG_DEADLINE, ("MAX_IN_FLIGHT_BYTES", "150000")]).await);
    let body = |length: usize| Entry::of_query(&format!("user_id=u&x={}", "a".repeat(length))).pushed();
    let chunked = async |length: usize| {
        let body = body(length);
        let chunks = body.as_bytes().chunks(1000).map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)));
        let chunks = chunks.collect::<String>();
        let head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked";
        let answer = service.send_raw(format!("{head}\r\n\r\n{chunks}0\r\n\r\n").as_bytes()).await;
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    // Half of it has not arrived, and all of it is reserved.
    let mut half = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    half.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{").await.unwrap();
    wait_until("the body is reserved", async || service.metric("pixel_pipeline_in_flight_bytes").await == (60_000 + DELIVERY_BYTES) as f64)
        .await;
    assert_eq!(service.push(body(60_000)).await.status, 429);
    assert_eq!(chunked(60_000).await, "429");
    assert_eq!(service.metric(BYTES_EXHAUSTED).await, 2.0);
    assert_eq!(service.push(body(1000)).await.status, 204);
    assert_eq!(chunked(1000).await, "204");
    drop(half);
    wait_until("the body is released", async || service.metric("pixel_pipeline_in_flight_bytes").await == 0.0).await;
    // A single message is accepted whatever its size.
    assert_eq!(service.push(body(1_000_000)).await.status, 204);
    assert_eq!(chunked(1_000_000).await, "204");
}

/// 75 MiB of headers, which the server buffers in up to twice as much memory.
#[tokio::test]
async fn large_headers_take_bounded_memory() {
    let bigquery = TestBigQuery::start().await;
    let max = 32 * MIB + FIXED_BYTES;
    for end in ["", "\r\nContent-Length: 0\r\n\r\n"] {
        let (service, before) = warm(&bigquery, &[]).await;
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\nX-Large: {}{end}", "a".repeat(152 << 10));
        let mut connections = Vec::new();
        for _ in 0..500 {
            let mut stream = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
            // The server closes connections beyond its limit.
            let _ = stream.write_all(request.as_bytes()).await;
            connections.push(stream);
        }
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
        let peak = service.peak_memory() - before;
        assert!(peak < max, "{} MiB", peak / MIB);
        drop(connections);
        wait_until_returned(&service, before).await;
    }
}

/// Large bodies, many bodies and large headers together, with the default settings. The kernel ends a process that exceeds
/// its limit.
#[tokio::test]
async fn a_service_in_a_container_of_512_mib_survives_all_loads() {
    let Some(group) = MemoryGroup::new(512 * MIB) else {
        println!("skipped: this process may not limit the memory of another one");
        return;
    };
    let bigquery = bigquery_behind(|request, body| (request.ends_with("/insertAll") && body.contains("aaaa")).then(silence)).await;
    let mut serve = command("serve");
    serve.env("BIGQUERY_EMULATOR_HOST", &bigquery.url);
    let service = Service::spawn(group.command(&serve), &[("PUSH_DEADLINE", "5s")]).await;
    service.wait_until_ready().await;
    let service = Arc::new(service);
    let mut connections = Vec::new();
    for _ in 0..150 {
        let mut stream = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
        // The server closes connections beyond its limit.
        let _ = stream.write_all(format!("POST / HTTP/1.1\r\nHost: x\r\nX-Large: {}", "a".repeat(152 << 10)).as_bytes()).await;
        connections.push(stream);
    }
    let bodies = [("a", 11 * MIB, 24), ("%00", 11 * MIB, 4), ("a", 64 << 10, 300), ("%00aaaa", 64 << 10, 200)];
    let bodies = bodies.map(|(pattern, length, count)| (Bytes::from(entry(pattern, length)), count));
    let each = bodies.iter().flat_map(|(body, count)| std::iter::repeat_n(body, *count));
    let pushes: JoinSet<u16> = each.map(|body| push(&service, body.clone())).collect();
    let statuses = pushes.join_all().await;
    assert!(statuses.iter().all(|status| matches!(status, 204 | 503 | 429)), "{statuses:?}");
    assert!(statuses.contains(&429) && statuses.iter().any(|status| *status != 429), "{statuses:?}");
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204, "it runs");
    let service = Arc::into_inner(service).expect("all pushes have ended");
    assert_eq!(service.end().await.0.code(), Some(0));
}
