//! `replay` and `forget` use the keys of the deployed service, which are in Secret Manager.

use std::process::{Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::bigquery::{PROJECT, TempDir};
use crate::support::google::{Google, TOKEN};
use crate::support::service::{TIMEOUT, command};
use crate::support::{Entry, Service, TestBigQuery};

const SERVICE: &str = "GET /run/apis/serving.knative.dev/v1/namespaces/test-project/services/pixel-pipeline";
const SECRET: &str = "GET /secretmanager/v1/projects/test-project/secrets/hash/versions/latest:access";
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A service with a key, whose events are in BigQuery, and the APIs that know it.
async fn deployed() -> (TestBigQuery, Google) {
    let (bigquery, google) = (TestBigQuery::start().await, Google::start().await);
    let service = Service::start(&bigquery, &[("HASH_USER_IDS", KEY)]).await;
    assert_eq!(service.push(Entry::of_query("user_id=507f").pushed()).await.status, 204);
    let variable = json!({"name": "HASH_USER_IDS", "valueFrom": {"secretKeyRef": {"name": "hash", "key": "latest"}}});
    google.add(SERVICE, json!({"spec": {"template": {"spec": {"containers": [{"env": [variable]}]}}}}));
    google.add(SECRET, json!({"name": "hash", "payload": {"data": STANDARD.encode(KEY)}}));
    (bigquery, google)
}

async fn run(bigquery: &TestBigQuery, google: &Google, settings: &[(&str, &str)], args: &[&str]) -> Output {
    let dir = TempDir::new();
    let token = dir.path().join("token");
    std::fs::write(&token, TOKEN).unwrap();
    let mut child = command(args[0]);
    child.args(&args[1..]).current_dir(dir.path()).env("BIGQUERY_ENDPOINT", &bigquery.url).env("PROJECT_ID", PROJECT);
    let others = google.environment().into_iter().filter(|(name, _)| !name.ends_with("BIGQUERY"));
    child.envs(others).envs(settings.iter().copied()).env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", token);
    let child = child.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    tokio::time::timeout(TIMEOUT, child.wait_with_output()).await.expect("it ends").unwrap()
}

/// The names of the generated tables.
async fn generated(bigquery: &TestBigQuery) -> Vec<String> {
    bigquery.tables().await.into_iter().filter(|name| name.starts_with("pixel_")).collect()
}

const FORGET: [&str; 3] = ["forget", "--user-id=507f", "--yes"];

#[tokio::test]
async fn forget_uses_the_secret_of_the_service() {
    let (bigquery, google) = deployed().await;
    assert_eq!(generated(&bigquery).await.len(), 1);
    let output = run(&bigquery, &google, &[], &FORGET).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(generated(&bigquery).await, Vec::<String>::new());
}

#[tokio::test]
async fn replay_uses_the_secret_of_the_service() {
    let (bigquery, google) = deployed().await;
    let before = generated(&bigquery).await;
    let dir = TempDir::new();
    let file = dir.path().join("entries");
    std::fs::write(&file, Entry::of_query("user_id=507f").json()).unwrap();
    let output = run(&bigquery, &google, &[], &["replay", file.to_str().unwrap()]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(generated(&bigquery).await, before, "the entry is in the same table");
}

#[tokio::test]
async fn both_stop_if_they_cannot_read_the_key_of_the_service() {
    for (question, message) in [(SERVICE, "cannot read the service pixel-pipeline"), (SECRET, "cannot read the secret hash")] {
        for (status, args) in [(403, &FORGET[..]), (500, &FORGET[..]), (403, &["replay", "--dead-letters"][..])] {
            let (bigquery, google) = deployed().await;
            google.refuse(question, status, "no");
            let output = run(&bigquery, &google, &[], args).await;
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{error}");
            assert!(error.contains(message), "{error}");
            assert_eq!(generated(&bigquery).await.len(), 1, "nothing was deleted");
        }
    }
}

#[tokio::test]
async fn a_project_without_the_service_has_no_key() {
    let (bigquery, google) = deployed().await;
    google.remove(SERVICE);
    let output = run(&bigquery, &google, &[], &FORGET[..2]).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // The settings of the deployment name the secret.
    let output = run(&bigquery, &google, &[("HASH_USER_IDS", "hash")], &FORGET).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(generated(&bigquery).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_given_key_is_used_without_a_request() {
    let (bigquery, google) = deployed().await;
    let output = run(&bigquery, &google, &[("HASH_USER_IDS", KEY)], &FORGET).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(google.asked(), Vec::<String>::new());
}
