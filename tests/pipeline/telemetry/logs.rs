//! Log lines: the format of Cloud Logging, and data that they must not contain.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bigquery_emulator::{Fault, Status};
use serde_json::{Value, json};

use crate::support::service::{TIMEOUT, command};
use crate::support::wait::within;
use crate::support::{Entry, Service, TestBigQuery, wrapped};

fn parsed(service: &Service) -> Vec<Value> {
    service.log().iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
}

#[tokio::test]
async fn every_line_is_json_with_the_fields_of_cloud_logging() {
    let bigquery = TestBigQuery::start().await;
    let began = jiff::Timestamp::now();
    let mut service = Service::start(&bigquery, &[]).await;
    service.push("{}").await;
    service.wait_for_log("invalid push request rejected").await;
    for line in parsed(&service) {
        assert!(["DEBUG", "INFO", "WARNING", "ERROR"].contains(&line["severity"].as_str().unwrap()), "{line}");
        assert!(!line["message"].as_str().unwrap().is_empty(), "{line}");
        let time: jiff::Timestamp = line["time"].as_str().unwrap().parse().unwrap();
        assert!(time.as_second() >= began.as_second() && time <= jiff::Timestamp::now(), "{line}");
        let location = &line["logging.googleapis.com/sourceLocation"];
        assert!(location["file"].as_str().unwrap().ends_with(".rs"), "{line}");
        assert!(location["line"].as_str().unwrap().parse::<u32>().is_ok(), "{line}");
    }
}

/// Lines are throttled: pushes until the line with that trace is logged, and returns it.
async fn push_until_logged(service: &Service, body: &str, header: (&str, &str), trace: &str) -> String {
    let logged = async {
        loop {
            service.push_with_headers(body.to_owned(), &[header]).await;
            if let Some(line) = service.log().into_iter().find(|line| line.contains(trace)) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, logged).await.expect("a line")
}

#[tokio::test]
async fn a_line_about_a_delivery_names_the_deliverys_trace() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for (header, value, trace) in [
        ("traceparent", "00-5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40-112210f47de98115-01", "5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40"),
        ("X-Cloud-Trace-Context", "6e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40/1234567890;o=1", "6e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40"),
    ] {
        let line: Value =
            serde_json::from_str(&push_until_logged(&service, &wrapped(b"broken", trace), (header, value), trace).await).unwrap();
        assert_eq!(line["logging.googleapis.com/trace"], format!("projects/test-project/traces/{trace}"));
        assert_eq!((&line["severity"], &line["reason"]), (&json!("WARNING"), &json!("bad_json")));
    }
    let trace = "7e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40";
    let header = ("traceparent", &*format!("00-{trace}-112210f47de98115-01"));
    assert!(push_until_logged(&service, "{}", header, trace).await.contains("invalid push request rejected"));
}

#[tokio::test]
async fn log_format_text_logs_plain_text() {
    let bigquery = TestBigQuery::start().await;
    let mut child = command("serve")
        .envs([("PORT", "0"), ("GOOGLE_CLOUD_PROJECT", "p"), ("BIGQUERY_EMULATOR_HOST", &bigquery.url), ("LOG_FORMAT", "text")])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(child.stderr.take().unwrap()));
    let first = within("the service logs a line", lines.next_line()).await.unwrap().unwrap();
    assert!(first.contains("INFO") && !first.starts_with('{') && !first.contains('\u{1b}'), "{first}");
}

const BODY: &str = "planted-body-4713";

/// The text itself, and its three encodings in base64, one for each offset.
fn spellings() -> Vec<String> {
    let shifted = (0..3).map(|shift| {
        let text = STANDARD_NO_PAD.encode(format!("{}{BODY}", "x".repeat(shift)));
        text[4..text.len() - 4].to_owned()
    });
    shifted.chain([BODY.to_owned()]).collect()
}

#[tokio::test]
async fn a_rejected_body_is_not_quoted() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let bodies = [
        BODY.to_owned(),
        format!("{{\"message\":\"{BODY}\"}}"),
        format!("{{\"{BODY}\":1}}"),
        format!("{{\"message\":{{\"data\":\"{BODY}"),
        format!("{{\"data\":[\"{BODY}\"]}}"),
        format!("{{\"data_base64\":\"{BODY}%\"}}"),
    ];
    for (number, body) in bodies.iter().enumerate() {
        let answer = service.push(body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        let trace = format!("{:032x}", number + 1);
        push_until_logged(&service, body, ("traceparent", &format!("00-{trace}-112210f47de98115-01")), &trace).await;
        for secret in spellings() {
            assert!(!answer.body.contains(&secret), "{secret} of {body} in {}", answer.body);
        }
    }
    let (_, log) = service.end().await;
    let log = log.join("\n");
    assert!(log.matches("invalid push request rejected").count() >= bodies.len(), "{log}");
    for secret in spellings() {
        assert!(!log.contains(&secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn log_lines_of_a_lasting_failure_are_throttled() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "100ms")]).await;
    bigquery.faults().always(Some(Fault::Status(Status::new(503, "backendError"))));
    let (before, started) = (service.log().len(), Instant::now());
    for _ in 0..30 {
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);
    }
    let lines = service.log().len() - before;
    let seconds = started.elapsed().as_secs_f64().ceil() as usize;
    assert!((1..=2 * (seconds + 1)).contains(&lines), "two a second at most, for {seconds} seconds: {lines}");
}
