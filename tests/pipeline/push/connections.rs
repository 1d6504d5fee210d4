//! What a client may hold, and for how long: connections that are slow, silent, stuck, or too many.

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

const WHOLE: &[u8] = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";

/// More than the sockets between two processes hold.
const HUGE: usize = 64 << 20;

/// A server in this process, whose time can run ahead.
async fn start() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/health", get(async || "ok\n")).route("/huge", get(async || vec![0_u8; HUGE]));
    tokio::spawn(server::serve(listener, router, std::future::pending()));
    TcpStream::connect(address).await.unwrap()
}

/// How long the server keeps the connection.
async fn time_until_it_is_closed(stream: &mut TcpStream) -> Duration {
    let began = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    began.elapsed()
}

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// A good delivery, answered at once whatever others do.
async fn push_quickly(service: &Service) {
    let push = tokio::time::timeout(Duration::from_secs(5), service.push(Entry::of_query("user_id=u").pushed()));
    assert_eq!(push.await.expect("an answer").status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_new_connection_that_says_nothing_is_closed_after_15_seconds() {
    let mut stream = start().await;
    let kept = time_until_it_is_closed(&mut stream).await;
    assert!((15..17).contains(&kept.as_secs()), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn a_header_that_drips_is_cut_off_after_15_seconds_however_steadily_it_drips() {
    // On a new connection, and on one that had a good request before.
    for requests_before in [0, 1] {
        let mut stream = start().await;
        for _ in 0..requests_before {
            stream.write_all(WHOLE).await.unwrap();
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

/// Google's front ends keep one for 600 seconds.
#[tokio::test(start_paused = true)]
async fn a_connection_between_two_requests_is_kept_for_620_seconds() {
    let mut stream = start().await;
    for _ in 0..3 {
        stream.write_all(WHOLE).await.unwrap();
        let mut answer = [0; 1024];
        let count = stream.read(&mut answer).await.unwrap();
        assert!(answer[..count].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..count]));
        tokio::time::sleep(Duration::from_secs(610)).await;
    }
    let kept = time_until_it_is_closed(&mut stream).await;
    assert!((9..12).contains(&kept.as_secs()), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_nobody_reads_is_given_up_after_30_seconds() {
    let mut stream = start().await;
    stream.write_all(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_secs(40)).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.len() < HUGE, "{} bytes", answer.len());
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_reader_pauses_for_less_than_30_seconds_is_sent_to_its_end() {
    let mut stream = start().await;
    stream.write_all(b"GET /huge HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    // Twice, so that it is the pause that counts and not the time since the request.
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(28)).await;
        // Time that runs ahead would do so whenever a byte is on its way.
        tokio::time::resume();
        stream.read_exact(&mut vec![0; 16 << 20]).await.unwrap();
        tokio::time::pause();
    }
    tokio::time::resume();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert!((32 << 20) + rest.len() > HUGE, "{} bytes", rest.len());
}

#[tokio::test]
async fn a_flood_of_headers_is_refused_and_holds_nobody_up() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let many: String = (0..10_000).map(|number| format!("X-Flood-{number}: {number}\r\n")).collect();
    let large = format!("X-Flood: {}\r\n", "a".repeat(1 << 20));
    let endless = format!("X-Flood: {}", "a".repeat(1 << 20));
    for headers in [many, large, endless] {
        let mut stream = connect(&service).await;
        // It may be closed before all is written.
        let _ = stream.write_all(format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).await;
        push_quickly(&service).await;
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "the connection ends at once");
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(!service.get("/metrics").await.body.contains("outcome=\"not_a_delivery\""));
}

/// As many as an unwrapped push can have: a hundred attributes, each as large as Pub/Sub lets it be.
#[tokio::test]
async fn the_largest_headers_of_a_push_are_taken() {
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
async fn slow_headers_and_bodies_by_the_hundred_hold_nobody_up() {
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
    push_quickly(&service).await;
    // Those that are reset instead of closed count as well: nobody is there.
    drop(slow);
    push_quickly(&service).await;
}

#[tokio::test]
async fn half_open_connections_do_not_hold_up_the_shutdown() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let mut open = Vec::new();
    for beginning in [&b""[..], b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: a", WHOLE] {
        let mut stream = connect(&service).await;
        stream.write_all(beginning).await.unwrap();
        if beginning == WHOLE {
            let count = stream.read(&mut [0; 1024]).await.unwrap();
            assert!(count > 0);
        }
        open.push(stream);
    }
    let began = std::time::Instant::now();
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(!log.iter().any(|line| line.contains("still under way")), "{log:?}");
    drop(open);
}

/// Else a handful of slow senders would keep everybody out.
#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_at_the_deadline_and_makes_room() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "1s"), ("MAX_IN_FLIGHT", "2")]).await;
    let half = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n{";
    for answer in <[String; 2]>::from(tokio::join!(service.send_raw(half), service.send_raw(half))) {
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    }
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"deadline\"}").await, 2.0);
    assert_eq!(service.metric("pixel_pipeline_in_flight").await, 0.0);
    push_quickly(&service).await;
}

/// More connections than the process may open files.
#[tokio::test]
async fn idle_connections_do_not_keep_others_out() {
    let bigquery = TestBigQuery::start().await;
    let mut serve = Command::new("sh");
    serve.args(["-c", "ulimit -n 100 && exec \"$0\" serve", env!("CARGO_BIN_EXE_pixel-pipeline")]);
    serve.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null()).kill_on_drop(true);
    serve.env("BIGQUERY_EMULATOR_HOST", &bigquery.url);
    let service = Service::spawn(serve, &[]).await;
    service.wait_until_ready().await;
    push_quickly(&service).await;
    let mut idle = Vec::new();
    for _ in 0..300 {
        let mut stream = connect(&service).await;
        let _ = stream.write_all(WHOLE).await;
        idle.push(stream);
    }
    for _ in 0..3 {
        push_quickly(&service).await;
    }
    assert_eq!(bigquery.rows("pixel_u_20260102").await.len(), 4);
}
