//! The limits of connections: slow, silent and stalled clients, and too many connections.

use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use pixel_pipeline::source::http::server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::Instant;

use crate::support::{Entry, Service, TestBigQuery};

const COMPLETE: &[u8] = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

/// More than the buffers of two sockets.
const HUGE_BYTES: usize = 64 << 20;

/// A server in this process, whose clock can be paused.
async fn start() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/health", get(async || "ok\n")).route("/huge", get(async || vec![0_u8; HUGE_BYTES]));
    tokio::spawn(server::serve(listener, router, std::future::pending()));
    TcpStream::connect(address).await.unwrap()
}

/// The time until the server closes the connection.
async fn time_until_closed(stream: &mut TcpStream) -> Duration {
    let started = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    started.elapsed()
}

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Less than the 15 s after which the server closes a slow connection. The bound is the feature: an answer within it did
/// not wait for a slow client.
const BEFORE_HEADER_TIMEOUT: Duration = Duration::from_secs(12);

/// A push that is answered although other connections are slow.
async fn push_beside_others(service: &Service) {
    let push = tokio::time::timeout(BEFORE_HEADER_TIMEOUT, service.push(Entry::of_query("user_id=u").pushed()));
    assert_eq!(push.await.expect("an answer").status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_silent_new_connection_is_closed_after_15_seconds() {
    let mut stream = start().await;
    let kept = time_until_closed(&mut stream).await;
    assert!((15..17).contains(&kept.as_secs()), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_header_is_closed_after_15_seconds() {
    // On a new connection, and on one after a complete request.
    for requests_before in [0, 1] {
        let mut stream = start().await;
        for _ in 0..requests_before {
            stream.write_all(COMPLETE).await.unwrap();
            let count = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(count > 0);
            tokio::time::sleep(Duration::from_secs(300)).await;
        }
        let began = Instant::now();
        stream.write_all(b"GET /health HTTP/1.1\r\nX-Slow: ").await.unwrap();
        let (mut read, mut write) = stream.split();
        let drip = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                if write.write_all(b"a").await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let mut answer = Vec::new();
        tokio::select! {
            _ = read.read_to_end(&mut answer) => {}
            () = drip => {}
        }
        assert!((15..17).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
}

/// Google's front ends keep an idle connection for 600 seconds.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_620_seconds() {
    let mut stream = start().await;
    for _ in 0..3 {
        stream.write_all(COMPLETE).await.unwrap();
        let mut answer = [0; 1024];
        let count = stream.read(&mut answer).await.unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..count]));
        tokio::time::sleep(Duration::from_secs(610)).await;
    }
    let kept = time_until_closed(&mut stream).await;
    assert!((9..12).contains(&kept.as_secs()), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unread_answer_is_aborted_after_30_seconds() {
    let mut stream = start().await;
    stream.write_all(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.len() < HUGE_BYTES, "{} bytes", answer.len());
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_the_whole_answer() {
    let mut stream = start().await;
    stream.write_all(b"GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    // Two pauses, which together are longer than the timeout.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(28)).await;
        // A paused clock advances while bytes are in transit.
        tokio::time::resume();
        stream.read_exact(&mut vec![0; 16 << 20]).await.unwrap();
        tokio::time::pause();
    }
    tokio::time::resume();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!((32 << 20) + rest.len() > HUGE_BYTES, "{} bytes", rest.len());
}

#[tokio::test]
async fn a_header_flood_is_rejected_and_blocks_no_other_client() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let many: String = (0..10_000).map(|number| format!("X-Flood-{number}: {number}\r\n")).collect();
    let large = format!("X-Flood: {}\r\n", "a".repeat(1 << 20));
    let endless = format!("X-Flood: {}", "a".repeat(1 << 20));
    for headers in [many, large, endless] {
        let mut stream = connect(&service).await;
        // The server can close the connection before everything is written.
        let _ = stream.write_all(format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).await;
        push_beside_others(&service).await;
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(BEFORE_HEADER_TIMEOUT, stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "the connection is closed before the header's timeout");
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"invalid_request\",reason=\"no_message\"}").await, 0.0);
}

/// The maximum of an unwrapped push: a hundred attributes of the maximum size in Pub/Sub.
#[tokio::test]
async fn the_largest_headers_of_a_push_are_accepted() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let body = Entry::of_query("user_id=u").json();
    let attributes: String = (0..100).map(|number| format!("{number:a>256}: {}\r\n", "v".repeat(1024))).collect();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx-goog-pubsub-message-id: 1\r\n{attributes}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = service.send_raw(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn hundreds_of_slow_clients_block_no_other_client() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut stream = connect(&service).await;
        let beginning: &[u8] = match number % 3 {
            0 => b"",
            1 => b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: a",
            _ => b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
        };
        stream.write_all(beginning).await.unwrap();
        slow.push(stream);
    }
    service.wait_for_in_flight(100).await;
    push_beside_others(&service).await;
    // Connections that are reset instead of closed.
    drop(slow);
    push_beside_others(&service).await;
}

#[tokio::test]
async fn half_open_connections_do_not_delay_the_shutdown() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let mut open = Vec::new();
    for beginning in [&b""[..], b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: a", COMPLETE] {
        let mut stream = connect(&service).await;
        stream.write_all(beginning).await.unwrap();
        if beginning == COMPLETE {
            let count = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(count > 0);
        }
        open.push(stream);
    }
    // `end` fails if the service does not exit in time.
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0));
    assert!(!log.iter().any(|line| line.contains("shutdown timed out")), "{log:?}");
    drop(open);
}

/// Otherwise a few slow senders could exhaust MAX_IN_FLIGHT.
#[tokio::test]
async fn an_incomplete_body_is_dropped_at_the_deadline() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "1s"), ("MAX_IN_FLIGHT", "2")]).await;
    let half = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{";
    for answer in <[String; 2]>::from(tokio::join!(service.send_raw(half), service.send_raw(half))) {
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"deadline\"}").await, 2.0);
    assert_eq!(service.metric("pixel_pipeline_in_flight").await, 0.0);
    push_beside_others(&service).await;
}

/// More connections than the process's limit of open files.
#[tokio::test]
async fn idle_connections_do_not_exhaust_the_open_files() {
    let bigquery = TestBigQuery::start().await;
    let mut serve = Command::new("sh");
    serve.args(["-c", "ulimit -n 100 && exec \"$0\" serve", env!("CARGO_BIN_EXE_pixel-pipeline")]);
    serve.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null()).kill_on_drop(true);
    serve.env("BIGQUERY_EMULATOR_HOST", &bigquery.url);
    let service = Service::spawn(serve, &[]).await;
    service.wait_until_ready().await;
    push_beside_others(&service).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        let mut stream = connect(&service).await;
        let _ = stream.write_all(COMPLETE).await;
        idle.push(stream);
    }
    for _ in 0..3 {
        push_beside_others(&service).await;
    }
    assert_eq!(bigquery.rows("pixel_u_20260102").await.len(), 4);
}
