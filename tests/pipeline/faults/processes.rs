//! The service process ends: by SIGTERM, as Cloud Run ends it, and by SIGKILL.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bigquery_emulator::{Fault, Status};
use google_cloud_pubsub::model::PushConfig;
use pixel_pipeline::source::http::server;
use serde_json::Value;
use tokio::net::TcpListener;

use super::scenario::{FAILING_TABLES, HEALTHY, Scenario, settings};
use crate::pubsub_emulator::Emulator;
use crate::support::delivery_log::{DeliveryLog, Destination};
use crate::support::external::skipped;
use crate::support::load_generator::{ACK_DEADLINE, TestMessage};
use crate::support::{Entry, Service, TestBigQuery};

#[tokio::test]
async fn sigterm_under_load_loses_and_duplicates_nothing() {
    let mut scenario = Scenario::start().await;
    scenario.bigquery.faults().always_on(FAILING_TABLES, Fault::Status(Status::new(503, "backendError")));
    for _ in 0..2 {
        scenario.wait_for_failures(3, &[HEALTHY]).await;
        scenario.service.wait_for_in_flight(1).await;
        scenario.service.signal("TERM");
        assert_eq!(scenario.service.wait().await.code(), Some(0));
        let next = Service::start(&scenario.bigquery, &settings(&[])).await;
        scenario.replace(next);
    }
    scenario.bigquery.faults().always(None);
    let deliveries = scenario.finish().await.deliveries;
    assert!(deliveries.aborted(HEALTHY) > 0, "no process listened between the two");
    assert_eq!(deliveries.aborted_stored(HEALTHY), 0, "each process responded to every delivery before it ended");
}

#[tokio::test]
async fn sigkill_under_load_loses_and_duplicates_nothing() {
    let mut scenario = Scenario::start().await;
    let deliveries = scenario.deliveries();
    for _ in 0..3 {
        scenario.bigquery.faults().always(Some(Fault::SlowAnswer(Duration::from_millis(30))));
        scenario.wait_for_failures(3, &[HEALTHY]).await;
        scenario.bigquery.faults().always(Some(STORED_UNANSWERED));
        deliveries.wait_until("rows are stored and not acked", async || deliveries.stored_unacked(HEALTHY) >= 3).await;
        scenario.service.signal("KILL");
        assert_eq!(scenario.service.wait().await.code(), None);
        scenario.bigquery.faults().always(None);
        let next = Service::start(&scenario.bigquery, &settings(&[])).await;
        scenario.replace(next);
    }
    scenario.finish().await;
    assert!(deliveries.aborted_stored(HEALTHY) > 0, "some deliveries stored their rows and got no response");
}

/// Rows are stored, and the response does not arrive before the service is killed, however slow the machine is.
const STORED_UNANSWERED: Fault = Fault::SlowAnswer(Duration::from_secs(3600));

/// A proxy between Pub/Sub and the service that records the responses.
struct Proxy {
    deliveries: Arc<DeliveryLog>,
    service: Mutex<String>,
    http: reqwest::Client,
}

async fn forward(State(proxy): State<Arc<Proxy>>, body: String) -> StatusCode {
    let delivery: Value = serde_json::from_str(&body).unwrap();
    let data = STANDARD.decode(delivery["message"]["data"].as_str().unwrap()).unwrap();
    let key = serde_json::from_slice::<Value>(&data).unwrap()["insertId"].as_str().unwrap().to_owned();
    let service = proxy.service.lock().unwrap().clone();
    let response = proxy.http.post(service).header("content-type", "application/json").body(body).send().await;
    let status = response.ok().map(|response| response.status());
    proxy.deliveries.record_response(&key, status.map(|status| status.as_u16()));
    status.unwrap_or(StatusCode::BAD_GATEWAY)
}

#[tokio::test]
async fn sigkill_with_the_pubsub_emulator_loses_nothing() {
    const EVENTS: usize = 300;
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("sigkill_with_the_pubsub_emulator_loses_nothing", what),
    };
    let bigquery = TestBigQuery::start().await;
    // Close to the ack deadline, so that stored messages are still in flight at the kill.
    let settings = settings(&[("PUSH_DEADLINE", "9s")]);
    let mut service = Service::start(&bigquery, &settings).await;
    let deliveries = DeliveryLog::new(bigquery.stored_lookup());
    let proxy = Arc::new(Proxy {
        deliveries: Arc::clone(&deliveries),
        service: Mutex::new(service.url.clone()),
        http: reqwest::Client::builder().no_proxy().timeout(ACK_DEADLINE).build().unwrap(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(forward)).with_state(Arc::clone(&proxy));
    let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
    emulator.push_to(&endpoint, PushConfig::new()).await;

    let messages: Vec<(Entry, Destination)> = (0..EVENTS)
        .map(|number| match number % 10 {
            0 => (Entry::of_query("user_id=u").without("/httpRequest/requestUrl"), Destination::DeadLetters),
            _ => (Entry::of_query(&format!("user_id=u{}", number % 3)), Destination::Table(format!("pixel_u{}_20260102", number % 3))),
        })
        .collect();
    for (entry, destination) in &messages {
        let message = TestMessage::of_entry(entry, destination.clone());
        deliveries.record_sent(entry.0["insertId"].as_str().unwrap(), HEALTHY, &message.event_id, message.destination);
    }
    let publish = async |round: usize| {
        let published = &messages[round * EVENTS / 3..(round + 1) * EVENTS / 3];
        emulator.publish(published.iter().map(|(entry, _)| entry.json())).await;
    };
    publish(0).await;
    for round in 1..=2 {
        let expected = round * EVENTS / 3 - EVENTS / 6;
        deliveries.wait_until("messages are acked", async || deliveries.acked(HEALTHY) >= expected).await;
        // Messages that are published from now on are stored and not acked before the kill.
        bigquery.faults().always(Some(STORED_UNANSWERED));
        publish(round).await;
        deliveries.wait_until("rows are stored and not acked", async || deliveries.stored_unacked(HEALTHY) >= 1).await;
        service.signal("KILL");
        service.wait().await;
        bigquery.faults().always(None);
        assert!(deliveries.acked(HEALTHY) < EVENTS, "the service was killed before the last ack");
        service = Service::start(&bigquery, &settings).await;
        *proxy.service.lock().unwrap() = service.url.clone();
    }
    deliveries.wait_until("all messages are acked", async || deliveries.acked(HEALTHY) == EVENTS).await;
    assert!(deliveries.aborted_stored(HEALTHY) > 0, "some deliveries stored their rows and got no response");
    deliveries.assert_no_early_acks();
    deliveries.reconcile(&bigquery).await;
    server.abort();
}
