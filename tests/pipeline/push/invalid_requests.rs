//! Invalid push requests: each has its status, its reason in metrics and log, and a throttled log line.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::support::service::TIMEOUT;
use crate::support::{Service, TestBigQuery};

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
const LOGGED: &str = "invalid push request rejected";

async fn rejected(service: &Service, reason: &str) -> f64 {
    service.metric(&format!("pixel_pipeline_deliveries_total{{outcome=\"invalid_request\",reason=\"{reason}\"}}")).await
}

/// The line about a request that was rejected for that reason.
async fn line(service: &mut Service, reason: &str) -> Value {
    let line = service.wait_for_log(&format!("\"reason\":\"{reason}\"")).await;
    serde_json::from_str(&line).unwrap()
}

#[tokio::test]
async fn a_malformed_chunk_is_answered_400() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start(&bigquery, &[]).await;
    for body in ["XYZ\r\n", "2\r\n{}{}\r\n0\r\n\r\n", "fffffffffffffffff\r\n"] {
        let answer = service.send_raw(format!("{CHUNKED}{body}").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{body}: {answer}");
        assert!(answer.contains("the body is malformed"), "{body}: {answer}");
    }
    assert_eq!(rejected(&service, "malformed_body").await, 3.0);
    let line = line(&mut service, "malformed_body").await;
    assert_eq!((line["message"].as_str(), line["severity"].as_str()), (Some(LOGGED), Some("WARNING")), "{line}");
}

#[tokio::test]
async fn a_body_beyond_16_mebibytes_is_answered_413() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start(&bigquery, &[]).await;
    let answer = service.push("[".repeat((16 << 20) + 1)).await;
    assert_eq!((answer.status, answer.body.as_str()), (413, "the body is longer than 16 MiB\n"));
    assert_eq!(rejected(&service, "body_too_large").await, 1.0);
    assert_eq!(line(&mut service, "body_too_large").await["message"], LOGGED);
}

#[tokio::test]
async fn a_client_that_disconnects_within_a_body_is_counted() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start(&bigquery, &[]).await;
    for beginning in ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", &format!("{CHUNKED}5\r\n{{")] {
        let before = rejected(&service, "disconnected").await;
        let mut client = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
        client.write_all(beginning.as_bytes()).await.unwrap();
        service.wait_for_in_flight(1).await;
        drop(client);
        let counted = async {
            while rejected(&service, "disconnected").await == before {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(TIMEOUT, counted).await.expect("the service notices");
    }
    assert_eq!(line(&mut service, "disconnected").await["message"], LOGGED);
    assert_eq!(service.metric("pixel_pipeline_in_flight").await, 0.0);
}

#[tokio::test]
async fn invalid_requests_do_not_flood_the_log() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let started = Instant::now();
    for _ in 0..30 {
        assert_eq!(service.push("{}").await.status, 400);
    }
    let (_, log) = service.end().await;
    let lines = log.iter().filter(|line| line.contains(LOGGED)).count();
    let seconds = started.elapsed().as_secs() as usize;
    assert!((1..=seconds + 1).contains(&lines), "one a second at most, for {seconds} seconds: {lines}");
}
