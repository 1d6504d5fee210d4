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

use super::trial::{SICK_TABLES, Trial, WELL, settings};
use crate::pubsub_emulator::{Emulator, eventually};
use crate::support::external::skipped;
use crate::support::ledger::{Ledger, Place};
use crate::support::pubsub::Message;
use crate::support::{Entry, Service, TestBigQuery};

#[tokio::test]
async fn sigterm_under_load_loses_and_doubles_nothing() {
    let mut trial = Trial::start().await;
    trial.bigquery.faults().always_on(SICK_TABLES, Fault::Status(Status::new(503, "backendError")));
    for _ in 0..2 {
        trial.suffer(3, &[WELL]).await;
        trial.service.wait_for_in_flight(1).await;
        trial.service.signal("TERM");
        assert_eq!(trial.service.wait().await.code(), Some(0));
        let next = Service::start(&trial.bigquery, &settings(&[])).await;
        trial.replace(next);
    }
    trial.bigquery.faults().always(None);
    let ledger = trial.recover().await;
    assert!(ledger.cut_off(WELL) > 0, "no process listened for a while");
    assert_eq!(ledger.cut_off_stored(WELL), 0, "and until then every delivery was answered");
}

#[tokio::test]
async fn kill_9_under_load_loses_and_doubles_nothing() {
    let mut trial = Trial::start().await;
    let ledger = trial.ledger();
    for _ in 0..3 {
        trial.bigquery.faults().always(Some(Fault::SlowAnswer(Duration::from_millis(30))));
        trial.suffer(3, &[WELL]).await;
        trial.bigquery.faults().always(Some(LONG_IN_DOUBT));
        ledger.until("rows are stored and not acked", async || ledger.in_doubt(WELL) >= 3).await;
        trial.service.signal("KILL");
        assert_eq!(trial.service.wait().await.code(), None);
        let next = Service::start(&trial.bigquery, &settings(&[])).await;
        trial.replace(next);
    }
    trial.bigquery.faults().always(None);
    trial.recover().await;
    assert!(ledger.cut_off_stored(WELL) > 0, "rows were stored whose deliveries were not answered");
}

/// After each commit there is time to kill the service before the delivery is answered.
const LONG_IN_DOUBT: Fault = Fault::SlowAnswer(Duration::from_millis(500));

/// Stands between Pub/Sub and the service, and keeps the ledger.
struct Front {
    ledger: Arc<Ledger>,
    service: Mutex<String>,
    http: reqwest::Client,
}

async fn forward(State(front): State<Arc<Front>>, body: String) -> StatusCode {
    let delivery: Value = serde_json::from_str(&body).unwrap();
    let data = STANDARD.decode(delivery["message"]["data"].as_str().unwrap()).unwrap();
    let key = serde_json::from_slice::<Value>(&data).unwrap()["insertId"].as_str().unwrap().to_owned();
    let service = front.service.lock().unwrap().clone();
    let answer = front.http.post(service).header("content-type", "application/json").body(body).send().await;
    let status = answer.ok().map(|answer| answer.status());
    front.ledger.answered(&key, status.map(|status| status.as_u16()));
    status.unwrap_or(StatusCode::BAD_GATEWAY)
}

#[tokio::test]
async fn kill_9_under_load_behind_the_pubsub_emulator_loses_and_doubles_nothing() {
    const EVENTS: usize = 300;
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("kill_9_under_load_behind_the_pubsub_emulator_loses_and_doubles_nothing", what),
    };
    let bigquery = TestBigQuery::start().await;
    let settings = settings(&[]);
    let mut service = Service::start(&bigquery, &settings).await;
    let ledger = Ledger::new(bigquery.witness());
    let front = Arc::new(Front {
        ledger: Arc::clone(&ledger),
        service: Mutex::new(service.url.clone()),
        http: reqwest::Client::builder().no_proxy().build().unwrap(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(forward)).with_state(Arc::clone(&front));
    let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
    emulator.push_to(&endpoint, PushConfig::new()).await;

    let messages: Vec<(Entry, Place)> = (0..EVENTS)
        .map(|number| match number % 10 {
            0 => (Entry::of_query("user_id=u").without("/httpRequest/requestUrl"), Place::DeadLetters),
            _ => (Entry::of_query(&format!("user_id=u{}", number % 3)), Place::Table(format!("pixel_u{}_20260102", number % 3))),
        })
        .collect();
    for (entry, place) in &messages {
        let message = Message::of_entry(entry, place.clone());
        ledger.sends(entry.0["insertId"].as_str().unwrap(), WELL, &message.event_id, message.place);
    }
    emulator.publish(messages.iter().map(|(entry, _)| entry.json())).await;
    for acked in [EVENTS / 8, EVENTS / 3] {
        eventually("messages are acked", async || ledger.acked(WELL) >= acked).await;
        bigquery.faults().always(Some(LONG_IN_DOUBT));
        eventually("rows are stored and not acked", async || ledger.in_doubt(WELL) >= 1).await;
        service.signal("KILL");
        service.wait().await;
        bigquery.faults().always(None);
        assert!(ledger.acked(WELL) < EVENTS, "it was killed in mid-stream");
        service = Service::start(&bigquery, &settings).await;
        *front.service.lock().unwrap() = service.url.clone();
    }
    eventually("all messages are acked", async || ledger.acked(WELL) == EVENTS).await;
    assert!(ledger.cut_off_stored(WELL) > 0, "rows were stored whose deliveries were not answered");
    ledger.check_acks();
    ledger.reconcile(&bigquery).await;
    server.abort();
}
