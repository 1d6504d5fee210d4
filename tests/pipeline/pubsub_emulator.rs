//! The service behind Google's Pub/Sub emulator. Topic, push subscription and messages are created with Google's client.
//!
//! The emulator is part of the Cloud SDK and needs Java; without them these tests are skipped.

use std::collections::{BTreeMap, HashSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use bigquery_emulator::Fault;
use google_cloud_auth::credentials::Credentials;
use google_cloud_auth::credentials::anonymous::Builder as Anonymous;
use google_cloud_pubsub::client::{Publisher, SubscriptionAdmin, TopicAdmin};
use google_cloud_pubsub::model::{Message, PushConfig, push_config::NoWrapper};
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use crate::support::bigquery::time;
use crate::support::external::skipped;
use crate::support::port::free_port;
use crate::support::wait::{wait_until, within};
use crate::support::{Entry, Service, TestBigQuery, fixture};

/// Google's emulator with a topic. Killed on drop.
pub struct Emulator {
    /// `http://127.0.0.1:PORT`
    pub endpoint: String,
    topic: String,
    process: Child,
}

impl Emulator {
    /// Starts an emulator. Fails with the name of the missing program.
    pub async fn start() -> Result<Self, &'static str> {
        let jar = find_jar().ok_or("the Pub/Sub emulator (gcloud components install pubsub-emulator)")?;
        let port = free_port().await;
        let process = Command::new("java")
            .args(["-Xmx256m", "-jar"])
            .arg(jar)
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            // The emulator prints a stack trace for every failed push.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| "java")?;
        let mut emulator =
            Self { endpoint: format!("http://127.0.0.1:{port}"), topic: "projects/test-project/topics/load-balancer".to_owned(), process };
        emulator.wait_until_up(port).await;
        // Google's client retries without an end.
        let created = async {
            let admin = TopicAdmin::builder().with_endpoint(&emulator.endpoint).with_credentials(anonymous()).build().await.unwrap();
            admin.create_topic().set_name(&emulator.topic).send().await.unwrap();
        };
        within("the topic is created", created).await;
        Ok(emulator)
    }

    /// `projects/P/topics/T`
    pub fn topic(&self) -> &str {
        &self.topic
    }

    async fn wait_until_up(&mut self, port: u16) {
        let is_up = async || {
            // An emulator without its port ends. Another process may listen on that port.
            assert_eq!(self.process.try_wait().unwrap(), None, "the emulator ended");
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok()
        };
        wait_until("the emulator listens", is_up).await;
    }

    /// Creates a push subscription to this service. Without a retry policy, because with one the emulator drops messages
    /// after two or three nacks.
    pub async fn push_to(&self, service: &str, config: PushConfig) {
        let admin = SubscriptionAdmin::builder().with_endpoint(&self.endpoint).with_credentials(anonymous()).build().await.unwrap();
        let subscription = admin
            .create_subscription()
            .set_name("projects/test-project/subscriptions/pixel-push")
            .set_topic(&self.topic)
            .set_ack_deadline_seconds(10)
            .set_push_config(config.set_push_endpoint(service));
        within("the subscription is created", subscription.send()).await.unwrap();
    }

    /// Publishes each entry as a message, with the attribute that a log sink adds. Returns the ids.
    pub async fn publish(&self, entries: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
        let publisher = Publisher::builder(&self.topic).with_endpoint(&self.endpoint).with_credentials(anonymous()).build().await.unwrap();
        let sent: Vec<_> = entries
            .into_iter()
            .map(|entry| {
                let attributes = [("logging.googleapis.com/timestamp", "2026-01-02T03:04:05.402197Z")];
                publisher.publish(Message::new().set_data(entry.into()).set_attributes(attributes))
            })
            .collect();
        let mut ids = Vec::new();
        for message in sent {
            ids.push(within("the emulator accepts the message", message).await.unwrap());
        }
        ids
    }
}

pub fn anonymous() -> Credentials {
    Anonymous::new().build()
}

/// Finds the emulator's jar in the Cloud SDK.
fn find_jar() -> Option<PathBuf> {
    // …/google-cloud-sdk/bin/gcloud, often through a symbolic link in a directory of PATH.
    let of_gcloud = || {
        let path = std::env::var_os("PATH")?;
        let gcloud = std::env::split_paths(&path).map(|dir| dir.join("gcloud")).find(|file| file.exists())?;
        Some(gcloud.canonicalize().ok()?.parent()?.parent()?.to_owned())
    };
    let given = std::env::var_os("CLOUDSDK_ROOT_DIR").map(PathBuf::from);
    [given, of_gcloud(), Some("/usr/lib/google-cloud-sdk".into())].into_iter().flatten().find_map(|sdk| jar_in(&sdk))
}

fn jar_in(sdk: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(sdk.join("platform/pubsub-emulator/lib")).ok()?;
    files.filter_map(|file| Some(file.ok()?.path())).find(|file| file.extension().is_some_and(|extension| extension == "jar"))
}

/// Number of deliveries with one of these labels.
async fn deliveries(service: &Service, labels: &[&str]) -> f64 {
    let mut sum = 0.0;
    for label in labels {
        sum += service.metric(&format!("pixel_pipeline_deliveries_total{{{label}}}")).await;
    }
    sum
}

const STORED: &str = "outcome=\"stored\",reason=\"\"";
const PATH: &str = "outcome=\"filtered\",reason=\"path\"";
const METHOD: &str = "outcome=\"filtered\",reason=\"method\"";
const MISSING: &str = "outcome=\"filtered\",reason=\"missing_attribute\"";
const NO_URL: &str = "outcome=\"dead_letter\",reason=\"no_request_url\"";
const BAD_JSON: &str = "outcome=\"dead_letter\",reason=\"bad_json\"";

/// The rows of every generated table by time, without their event ids.
async fn stored(bigquery: &TestBigQuery) -> BTreeMap<String, Vec<Map<String, Value>>> {
    let mut tables: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (table, mut row) in bigquery.events().await {
        row.remove("event_id").expect("every row has an event id");
        row.insert("event_timestamp".to_owned(), json!(time(&row["event_timestamp"]).to_string()));
        tables.entry(table).or_default().push(row);
    }
    in_order(tables)
}

fn in_order(mut tables: BTreeMap<String, Vec<Map<String, Value>>>) -> BTreeMap<String, Vec<Map<String, Value>>> {
    for rows in tables.values_mut() {
        for row in rows.iter_mut() {
            let time: jiff::Timestamp = row["event_timestamp"].as_str().unwrap().parse().unwrap();
            row.insert("event_timestamp".to_owned(), json!(time.to_string()));
        }
        rows.sort_by_key(|row| (row["event_timestamp"].to_string(), row["order_id"].to_string()));
    }
    tables
}

/// load_balancer.jsonl has 58 entries of four load balancers: 49 events of five users on three days, eight entries to be
/// filtered, and the entry of an audit log. load_balancer.rows.json has its rows, which were computed independently of
/// this program.
#[tokio::test]
async fn a_load_balancer_log_becomes_the_expected_rows() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("a_load_balancer_log_becomes_the_expected_rows", what),
    };
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    emulator.push_to(&service.url, PushConfig::new()).await;
    let log = fixture("load_balancer.jsonl");
    let entries: Vec<&str> = log.lines().collect();
    assert_eq!(entries.len(), 58);
    emulator.publish(entries.iter().copied()).await;
    // One entry is exported twice, and one message is not a log entry.
    let twice = entries.iter().find(|entry| entry.contains("order_id=twin-1")).unwrap();
    emulator.publish([*twice, "hello"]).await;

    // At least: under load the emulator repeats deliveries whose answer arrives too late.
    for (label, count) in [(STORED, 50.0), (PATH, 3.0), (METHOD, 2.0), (MISSING, 3.0), (NO_URL, 1.0), (BAD_JSON, 1.0)] {
        wait_until(&format!("{count} deliveries have {label}"), async || deliveries(&service, &[label]).await >= count).await;
    }
    let expected: BTreeMap<String, Vec<Map<String, Value>>> = serde_json::from_str(&fixture("load_balancer.rows.json")).unwrap();
    assert_eq!(expected.values().map(Vec::len).sum::<usize>(), 49);
    assert_eq!(stored(&bigquery).await, in_order(expected));
    let mut reasons: Vec<_> = bigquery.rows("dead_letters").await.iter().map(|row| row["reason"].as_str().unwrap().to_owned()).collect();
    reasons.sort();
    assert_eq!(reasons, ["bad_json", "no_request_url"]);
    let ids: Vec<_> = bigquery.events().await.iter().map(|(_, row)| row["event_id"].to_string()).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 49, "every event has its own id");
}

/// `--push-no-wrapper --push-no-wrapper-write-metadata`: the entry is the body, the message id is a header, and so is the
/// attribute, whose name is not valid for a header.
#[tokio::test]
async fn without_a_wrapper_metadata_is_read_from_headers() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("without_a_wrapper_metadata_is_read_from_headers", what),
    };
    let bigquery = TestBigQuery::with_template(json!([
        {"name": "event_id", "type": "STRING"}, {"name": "user_id", "type": "STRING"}, {"name": "type", "type": "STRING"},
        {"name": "pubsub_message_id", "type": "STRING"},
    ]))
    .await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type"), ("TABLE_SUFFIX", "")]).await;
    emulator.push_to(&service.url, PushConfig::new().set_no_wrapper(NoWrapper::new().set_write_metadata(true))).await;
    // With `=` and `&` as in a web form, because the emulator declares the body as one.
    let entries = [Entry::of_query("user_id=u1&type=%C3%BC"), Entry::of_query("user_id=u2&type=a%26b%3D")];
    let ids = emulator.publish(entries.iter().map(Entry::json)).await;
    let garbage = emulator.publish(["not=an&entry"]).await;

    wait_until("all 3 messages are acknowledged", async || deliveries(&service, &[STORED, BAD_JSON]).await >= 3.0).await;
    let mut rows = bigquery.rows("pixel").await;
    rows.sort_by_key(|row| row["user_id"].to_string());
    let seen: Vec<_> = rows.iter().map(|row| json!([row["user_id"], row["type"], row["pubsub_message_id"]])).collect();
    assert_eq!(seen, [json!(["u1", "ü", ids[0]]), json!(["u2", "a&b=", ids[1]])]);
    let dead_letters = bigquery.rows("dead_letters").await;
    assert_eq!(dead_letters.iter().map(|row| &row["message_id"]).collect::<Vec<_>>(), [&json!(garbage[0])]);
}

#[tokio::test]
async fn a_killed_service_neither_loses_nor_duplicates_events() {
    const EVENTS: usize = 600;
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("a_killed_service_neither_loses_nor_duplicates_events", what),
    };
    let bigquery = TestBigQuery::start().await;
    let port = free_port().await.to_string();
    let settings = [("PORT", port.as_str()), ("TABLE_SUFFIX", "")];
    let mut service = Service::start(&bigquery, &settings).await;
    emulator.push_to(&service.url, PushConfig::new()).await;
    let publish = async |round: usize| {
        let orders = round * EVENTS / 3..(round + 1) * EVENTS / 3;
        emulator.publish(orders.map(|order| Entry::of_query(&format!("user_id=u&order_id={order}")).json())).await;
    };
    publish(0).await;
    for round in 1..=2 {
        let expected = round * EVENTS / 3 - EVENTS / 6;
        wait_until("rows are stored", async || bigquery.rows("pixel").await.len() >= expected).await;
        // Held inserts keep deliveries in flight until the kill, on a slow machine too.
        let requests = bigquery.faults().insert_all_requests().requests;
        bigquery.faults().always(Some(Fault::Hold(Arc::new(Semaphore::new(0)))));
        publish(round).await;
        bigquery.wait_for_requests(requests + 1).await;
        service.signal("KILL");
        service.wait().await;
        assert!(bigquery.rows("pixel").await.len() < EVENTS, "the service was killed before the last event");
        bigquery.faults().always(None);
        service = Service::start(&bigquery, &settings).await;
    }
    wait_until("every event is stored", async || bigquery.rows("pixel").await.len() >= EVENTS).await;
    let mut orders: Vec<usize> =
        bigquery.rows("pixel").await.iter().map(|row| row["order_id"].as_str().unwrap().parse().unwrap()).collect();
    orders.sort_unstable();
    assert_eq!(orders, (0..EVENTS).collect::<Vec<_>>());
    assert_eq!(bigquery.rows("dead_letters").await, []);
}
