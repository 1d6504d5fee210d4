//! Replay from `gs://`, the archive of a log sink.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bigquery_emulator::Fault;
use pixel_pipeline::source::http::server;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{column, gzip, replay, run};
use crate::support::bigquery::TempDir;
use crate::support::metadata::Metadata;
use crate::support::{Entry, TestBigQuery};

/// Cloud Storage with one bucket, `logs`. Lists two objects a page.
struct Storage {
    url: String,
    objects: Arc<Mutex<Objects>>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Objects {
    of: BTreeMap<String, Vec<u8>>,
    /// The next downloads that are answered 503.
    failures: usize,
    downloads: Vec<String>,
}

impl Storage {
    async fn start(objects: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let objects = Arc::new(Mutex::new(Objects { of: objects.into_iter().collect(), ..Objects::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/storage/v1/b/logs/o", get(list))
            .route("/storage/v1/b/logs/o/{name}", get(download))
            .with_state(Arc::clone(&objects));
        let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
        Self { url, objects, server }
    }

    fn downloads(&self) -> Vec<String> {
        std::mem::take(&mut self.objects.lock().unwrap().downloads)
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Parameters = Query<BTreeMap<String, String>>;

async fn list(State(objects): State<Arc<Mutex<Objects>>>, Query(query): Parameters) -> String {
    let objects = objects.lock().unwrap();
    let after = query.get("pageToken").map_or("", String::as_str);
    let named: Vec<_> = objects.of.iter().filter(|(name, _)| name.starts_with(&query["prefix"]) && name.as_str() > after).collect();
    let items: Vec<_> =
        named.iter().take(2).map(|(name, content)| json!({"name": name, "size": content.len().to_string(), "generation": "17"})).collect();
    let next = (named.len() > 2).then(|| named[1].0.clone());
    json!({"kind": "storage#objects", "items": items, "nextPageToken": next}).to_string()
}

async fn download(State(objects): State<Arc<Mutex<Objects>>>, Path(name): Path<String>, Query(query): Parameters) -> Response {
    assert_eq!((query["alt"].as_str(), query["generation"].as_str()), ("media", "17"));
    let mut objects = objects.lock().unwrap();
    if objects.failures > 0 {
        objects.failures -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    objects.downloads.push(name.clone());
    objects.of.get(&name).cloned().map_or(StatusCode::NOT_FOUND.into_response(), IntoResponse::into_response)
}

/// Objects of `count` hours, each with ten entries.
fn hours(count: usize) -> Vec<(String, Vec<u8>)> {
    (0..count)
        .map(|hour| {
            let name = format!("requests/2026/01/{:02}/{:02}:00:00_{:02}:59:59_S0.json", 1 + hour / 24, hour % 24, hour % 24);
            let at = format!("2026-01-{:02}T{:02}:30:00Z", 1 + hour / 24, hour % 24);
            let entries = (0..10).map(|n| {
                let entry = Entry::of_query(&format!("user_id=u&order_id={:04}", hour * 10 + n));
                entry.with("/timestamp", json!(at)).json() + "\n"
            });
            (name, entries.collect::<String>().into_bytes())
        })
        .collect()
}

fn orders(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|order| format!("{order:04}")).collect()
}

#[tokio::test]
async fn every_object_with_the_prefix_is_read() {
    let bigquery = TestBigQuery::start().await;
    let mut objects = hours(5);
    objects[1].1 = gzip(std::str::from_utf8(&objects[1].1).unwrap());
    objects.push(("other/2026/01/01/x.json".to_owned(), b"not to be read\n".to_vec()));
    let storage = Storage::start(objects).await;
    storage.objects.lock().unwrap().failures = 2;
    let mut command = replay(&bigquery, &["gs://logs/requests", "--format=json"]);
    command.env("STORAGE_EMULATOR_HOST", &storage.url);
    let replayed = run(command).await;
    assert_eq!((replayed.code, replayed.count("stored")), (Some(0), 50), "{}", replayed.err);
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders(0..50));
}

/// With gcloud's endpoint variable, whose URL has the API version, and with credentials.
#[tokio::test]
async fn a_processed_object_is_not_read_again() {
    let bigquery = TestBigQuery::start().await;
    let storage = Storage::start(hours(3)).await;
    let dir = TempDir::new();
    let (checkpoint, token) = (dir.path().join("checkpoint"), dir.path().join("token"));
    std::fs::write(&token, "a-token").unwrap();
    let again = async || {
        let mut command = replay(&bigquery, &["gs://logs/requests/", "--format=json", "--checkpoint", checkpoint.to_str().unwrap()]);
        command.env("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE", format!("{}/storage/v1/", storage.url));
        command.env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", &token);
        let replayed = run(command).await;
        assert_eq!(replayed.code, Some(0), "{}", replayed.err);
        replayed.count("stored")
    };
    assert_eq!(again().await, 30);
    storage.objects.lock().unwrap().of.extend(hours(4).pop());
    assert_eq!(again().await, 10, "the object that was added");
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders(0..40));
}

/// A token of gcloud's login is valid for an hour.
#[tokio::test]
async fn an_expired_token_is_replaced_during_the_run() {
    let metadata = Metadata::start(Duration::from_secs(3600)).await.0;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bigquery = TestBigQuery::serve_behind(listener, |router| metadata.gate(router));
    let storage = Storage::start(hours(1)).await;
    let dir = TempDir::new();
    let token = dir.path().join("token");
    std::fs::write(&token, metadata.issue()).unwrap();
    bigquery.faults().always(Some(Fault::Delay(Duration::from_millis(50))));
    let mut command = replay(&bigquery, &["gs://logs/requests", "--format=json", "--concurrency=1"]);
    command.env_remove("BIGQUERY_EMULATOR_HOST").env("BIGQUERY_ENDPOINT", &bigquery.url);
    command.env("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", format!("{}/run/", bigquery.url));
    command.env("STORAGE_EMULATOR_HOST", &storage.url).env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", &token);
    let running = tokio::spawn(run(command));
    bigquery.wait_for_requests(2).await;
    metadata.revoke_all();
    std::fs::write(&token, metadata.issue()).unwrap();
    let replayed = running.await.unwrap();
    assert_eq!((replayed.code, replayed.count("stored")), (Some(0), 10), "{}", replayed.err);
    assert_eq!(metadata.refused(), 1, "the expired token was sent once");
}

#[tokio::test]
async fn each_object_of_the_period_is_read_by_one_task() {
    let bigquery = TestBigQuery::start().await;
    let storage = Storage::start(hours(24 * 6)).await;
    let mut sum = 0;
    for index in 0..4 {
        let mut command = replay(&bigquery, &["gs://logs/requests", "--format=json", "--since=2026-01-03", "--until=2026-01-03T06:00:00Z"]);
        command.env("STORAGE_EMULATOR_HOST", &storage.url);
        command.env("CLOUD_RUN_TASK_INDEX", index.to_string()).env("CLOUD_RUN_TASK_COUNT", "4");
        let replayed = run(command).await;
        assert_eq!(replayed.code, Some(0), "{}", replayed.err);
        sum += replayed.count("stored");
    }
    assert_eq!(sum, 60);
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders(480..540));
    let mut read = storage.downloads();
    read.sort();
    assert_eq!(read.len(), 72, "the day before and the day after are read, because of clock skew");
    read.dedup();
    assert_eq!(read.len(), 72);
}
