//! A busy run with a marker word in all personal data and secrets: no log line and no metric may contain it.
//!
//! All crates log at level trace, and hundreds of concurrent deliveries fail.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bigquery_emulator::{Fault, Status};
use pixel_pipeline::decode::signature::SigningKeys;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::issuer::{claims_with, signed};
use crate::support::{Entry, Issuer, Service, TestBigQuery, wrapped};

/// Letters only, so that no encoding of URLs, suffixes or JSON changes it.
const WORD: &str = "plantedword";
const SIGNING_KEY: &str = "plantedword-signing-key-0123456789";
const HASH_KEY: &str = "plantedword-hash-key-0123456789abc";
/// The network of all visitors.
const NETWORK: &str = "198.51.100.";

/// The word and its encodings in dumps.
fn encodings() -> Vec<String> {
    let mut all = vec![WORD.to_owned(), WORD.to_uppercase(), NETWORK.to_owned()];
    for before in 0..3 {
        let text = STANDARD_NO_PAD.encode(format!("{}{WORD}", "x".repeat(before)));
        // Without the characters that depend on the adjacent bytes.
        all.push(text[4..text.len() - 3].to_owned());
    }
    let bytes = WORD.bytes();
    all.push(bytes.clone().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", "));
    all.push(bytes.clone().map(|byte| byte.to_string()).collect::<Vec<_>>().join(","));
    all.push(bytes.map(|byte| format!("{byte:02x}")).collect());
    all
}

fn entry(url: &str, n: usize) -> Entry {
    Entry::of_url(url)
        .with("/httpRequest/remoteIp", json!(format!("{NETWORK}{}", n % 256)))
        .with("/httpRequest/userAgent", json!(format!("Mozilla/5.0 ({WORD}-agent-{n})")))
        .with("/httpRequest/referer", json!(format!("https://www.example.com/{WORD}?user_id={WORD}-{n}")))
}

/// Bodies of the nth round, one for every outcome that a body can cause. Faults cause the other outcomes.
fn bodies(n: usize, keys: &SigningKeys) -> Vec<String> {
    let query = format!("user_id={WORD}-user-{n}%40example.com&order_id={WORD}-order-{n}&other={WORD}");
    let url = format!("https://{WORD}.example.com/pixel.png?{query}");
    let signed = keys.sign(&url);
    let good = entry(&signed, n);
    vec![
        good.pushed(),
        good.json(),
        // A second user of the round, so that a request has valid and invalid rows.
        entry(&keys.sign(&url.replace("-user-", "-another-")), n).pushed(),
        // Filtered.
        entry(&format!("https://t.example.com/{WORD}.png?{query}"), n).pushed(),
        good.clone().with("/httpRequest/requestMethod", json!(WORD)).pushed(),
        entry(&keys.sign(&format!("https://t.example.com/pixel.png?order_id={WORD}")), n).pushed(),
        entry(&format!("{signed}&gpc=1"), n).pushed(),
        entry(&url, n).pushed(),
        entry(&format!("{signed}&{WORD}={WORD}"), n).pushed(),
        // Dead letters.
        good.clone().without("/httpRequest/requestUrl").pushed(),
        wrapped(WORD.as_bytes(), &format!("{WORD}-{n}")),
        wrapped(format!("{{\"{WORD}\":\"{WORD}").as_bytes(), &format!("{WORD}-{n}")),
        wrapped(format!("{{\"httpRequest\":[\"{WORD}\"]}}").as_bytes(), &format!("{WORD}-{n}")),
        json!({"message": {"data": format!("{WORD}%"), "messageId": format!("{WORD}-{n}")}}).to_string(),
        json!({"message": {"attributes": {WORD: WORD}, "messageId": format!("{WORD}-{n}")}}).to_string(),
        // Invalid requests.
        WORD.to_owned(),
        json!({WORD: WORD}).to_string(),
        format!("{{\"message\":{{\"data\":\"{WORD}"),
    ]
}

/// Delivers all bodies concurrently, with secrets in their headers.
async fn deliver(service: &Arc<Service>, token: &str, bodies: Vec<String>) {
    let mut senders = JoinSet::new();
    for body in bodies {
        let (service, authorization) = (Arc::clone(service), format!("Bearer {token}"));
        senders.spawn(async move {
            let headers = [
                ("authorization", authorization.as_str()),
                ("content-type", "application/json"),
                ("cookie", WORD),
                ("traceparent", WORD),
                ("x-cloud-trace-context", WORD),
                ("x-plantedword", WORD),
            ];
            service.push_with_headers(body, &headers).await.status
        });
    }
    senders.join_all().await;
}

/// Malformed requests.
async fn send_malformed_requests(service: &Service) {
    service.get(&format!("/{WORD}?user_id={WORD}")).await;
    for request in [
        format!("{WORD} /{WORD} HTTP/1.1\r\nhost: {WORD}\r\n{WORD}: {WORD}\r\nconnection: close\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nhost: {WORD}\r\nbad {WORD}: {WORD}\r\nconnection: close\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: {WORD}\r\n\r\n"),
        format!("GET /{} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n", WORD.repeat(1000)),
    ] {
        service.send_raw(request.as_bytes()).await;
    }
}

async fn run(settings: &[(&str, &str)], token: &str) -> (Vec<String>, Vec<String>, String) {
    let bigquery = TestBigQuery::start().await;
    let keys = SigningKeys::parse(SIGNING_KEY).unwrap();
    let common = [("URL_SIGNING_KEY", SIGNING_KEY), ("RUST_LOG", "trace"), ("PUSH_DEADLINE", "700ms")];
    let service = Arc::new(Service::start(&bigquery, &[&common, settings].concat()).await);
    bigquery.wait_for_table("dead_letters").await;
    let deliver = async |bodies| deliver(&service, token, bodies).await;
    let faults = [
        None,
        Some(Fault::Status(Status::new(500, "x").body(format!("<html>{WORD}</html>")))),
        Some(Fault::Status(Status::new(503, "backendError"))),
        Some(Fault::Status(Status::new(429, "rateLimitExceeded").retry_after(1))),
        Some(Fault::Status(Status::new(403, "quotaExceeded"))),
        Some(Fault::Status(Status::new(403, "accessDenied"))),
        Some(Fault::Status(Status::new(404, "notFound"))),
        Some(Fault::Status(Status::new(400, "invalid"))),
        Some(Fault::ResetBefore),
        Some(Fault::ResetAfter),
        Some(Fault::TruncatedBody),
        Some(Fault::RowInvalid { index: 0 }),
        Some(Fault::StoredThen(Status::new(500, "internalError"))),
        Some(Fault::Delay(Duration::from_secs(2))),
    ];
    for (n, fault) in faults.into_iter().enumerate() {
        bigquery.faults().always(fault);
        deliver(bodies(2 * n, &keys)).await;
        bigquery.faults().always(None);
        deliver(bodies(2 * n + 1, &keys)).await;
    }
    // BigQuery refuses rows and stores their dead letters.
    bigquery.faults().always_on("pixel_", Fault::RowInvalid { index: 0 });
    deliver(bodies(999, &keys)).await;
    bigquery.faults().always(None);
    bigquery.faults().new_table_404(Some(Duration::from_secs(3600)));
    deliver(bodies(1000, &keys)).await;
    bigquery.faults().new_table_404(None);
    bigquery.faults().always_on("dead_letters", Fault::RowInvalid { index: 0 });
    deliver(bodies(1001, &keys)).await;
    bigquery.faults().always(None);
    // A body of more than 16 MiB, which is rejected, and one of 2 MiB.
    deliver(vec![
        WORD.repeat((16 << 20) / WORD.len() + 1),
        entry(&keys.sign(&format!("/pixel.png?user_id={WORD}&x={}", WORD.repeat(190_000))), 0).pushed(),
    ])
    .await;
    send_malformed_requests(&service).await;
    let tables = bigquery.tables().await;
    // The schema changes, and then BigQuery is unreachable.
    bigquery.replace_table("pixel", json!([{"name": "user_id", "type": "STRING"}])).await;
    deliver(bodies(1002, &keys)).await;
    drop(bigquery);
    deliver(bodies(1003, &keys)).await;

    let metrics = service.get("/metrics").await.body;
    let service = Arc::into_inner(service).expect("all senders have ended");
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0), "no panic, and no crash");
    (log, tables, metrics)
}

#[tokio::test]
async fn log_and_metrics_contain_no_personal_data_or_secret() {
    // Without and with token validation.
    let issuer = Issuer::start().await;
    let good = signed("first", "first", &claims_with("sub", json!(format!("{WORD}-subject"))));
    let careful = [&[("HASH_USER_IDS", HASH_KEY), ("IP_ANONYMIZATION", "full")][..], &issuer.settings()].concat();
    let nonsense = format!("{WORD}.eyJhbGciOiJSUzI1NiJ9.{WORD}");
    for (settings, token) in [(&[][..], &nonsense), (&careful, &good)] {
        let (log, tables, metrics) = run(settings, token).await;
        // All outcomes and reasons occurred.
        for outcome in ["stored", "filtered", "dead_letter", "retry", "invalid_request"] {
            assert!(metrics.contains(&format!("outcome=\"{outcome}\"")), "{outcome} is not in {metrics}");
        }
        for reason in ["path", "method", "missing_attribute", "opted_out", "unsigned", "bad_signature", "bad_base64", "bad_json", "invalid"]
        {
            assert!(metrics.contains(&format!("reason=\"{reason}\"")), "{reason} is not in {metrics}");
        }
        let delivered: u64 = metrics
            .lines()
            .filter(|line| line.starts_with("pixel_pipeline_deliveries_total{"))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
            .sum();
        assert!(delivered > 500, "{delivered}");
        let user_tables: Vec<&str> = tables.iter().filter_map(|table| table.strip_prefix("pixel_")).collect();
        assert!(user_tables.len() > 20, "{tables:?}");
        assert_eq!(user_tables.iter().any(|suffix| suffix.contains(WORD)), settings.is_empty(), "ids are in the names unless hashed");
        assert!(log.iter().any(|line| line.contains("dead-letter table")) && log.iter().any(|line| line.contains("returned to Pub/Sub")));

        // All tokens have the same header.
        let own = encodings().into_iter().chain(token.split('.').skip(1).map(|part| part[..part.len().min(16)].to_owned()));
        // Suffixes with and without the day. Hashes count as ids, too.
        let ids = user_tables.iter().filter_map(|suffix| suffix.rsplit_once('_')).map(|(id, _)| id.to_owned()).filter(|id| id.len() > 8);
        let ids: Vec<String> = ids.collect();
        assert!(ids.len() > 20, "{user_tables:?}");
        let suffixes = user_tables.iter().map(|suffix| (*suffix).to_owned());
        let secrets: Vec<String> = own.chain(suffixes).chain(ids).chain([SIGNING_KEY.to_owned(), HASH_KEY.to_owned()]).collect();
        for (at, line) in log.iter().enumerate() {
            let found = secrets.iter().find(|secret| line.contains(secret.as_str()));
            assert!(found.is_none(), "{found:?} in line {at}: {line}");
            // Debug lines of other crates are not written.
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            let target = line["target"].as_str().unwrap();
            assert!(target.starts_with("pixel_pipeline") || line["severity"] != "DEBUG", "{line}");
        }
        for secret in &secrets {
            assert!(!metrics.contains(secret.as_str()), "{secret} in {metrics}");
        }
    }
}
