//! SIGTERM, which Cloud Run sends ten seconds before SIGKILL.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bigquery_emulator::Fault;
use tokio::task::JoinSet;

use crate::support::http;
use crate::support::lag::LagMonitor;
use crate::support::{Entry, Service, TestBigQuery};

const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");
/// The log line of a shutdown that reached its timeout of nine seconds.
const TIMED_OUT: &str = "shutdown timed out";

/// Sends SIGTERM. The service must end with 0 by itself. Returns whether its shutdown reached the timeout.
async fn terminate(service: Service) -> bool {
    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(log.iter().any(|line| line.contains("shutting down")), "{log:#?}");
    log.iter().any(|line| line.contains(TIMED_OUT))
}

#[tokio::test]
async fn an_idle_service_ends_before_the_shutdown_timeout() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    // Leaves an idle connection open.
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    assert!(!terminate(service).await);
}

#[tokio::test]
async fn a_service_that_is_not_ready_ends_on_sigterm() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start_unready(&bigquery.url, &[("AUTO_CREATE", "false")]).await;
    assert!(!terminate(service).await);
}

#[tokio::test]
async fn a_delivery_in_flight_is_answered() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    bigquery.faults().always(Some(Fault::Delay(Duration::from_secs(1))));
    let (answer, ()) = tokio::join!(service.push(Entry::of_query("user_id=u").pushed()), async {
        bigquery.wait_for_requests(1).await;
        service.signal("TERM");
    });
    assert_eq!(answer.status, 204);
    assert_eq!(bigquery.rows("pixel").await.len(), 1);
    let mut service = service;
    assert_eq!(service.wait().await.code(), Some(0));
}

#[tokio::test]
async fn no_acknowledged_message_is_lost_under_load() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    bigquery.faults().always(Some(Fault::Delay(Duration::from_millis(20))));
    // The senders end with the service. Another process could listen on its port then.
    let has_ended = Arc::new(AtomicBool::new(false));
    let http = http::client();
    let mut senders = JoinSet::new();
    for sender in 0..40 {
        let (http, url, has_ended) = (http.clone(), service.url.clone(), Arc::clone(&has_ended));
        senders.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in (0..).take_while(|_| !has_ended.load(Ordering::SeqCst)) {
                let order = format!("{sender}-{number}");
                let body = Entry::of_query(&format!("user_id=u{}&order_id={order}", sender % 5)).pushed();
                match http.post(&url).body(body).send().await {
                    Ok(response) if response.status() == 204 => acknowledged.push(order),
                    Ok(response) => assert_eq!(response.status(), 429, "nacked during the shutdown"),
                    // The service does not listen anymore.
                    Err(_) => break,
                }
            }
            acknowledged
        });
    }
    bigquery.wait_for_requests(50).await;
    let timed_out = terminate(service).await;
    has_ended.store(true, Ordering::SeqCst);
    assert!(!timed_out);
    let acknowledged: Vec<String> = senders.join_all().await.into_iter().flatten().collect();
    let stored: HashSet<String> =
        bigquery.events().await.into_iter().map(|(_, row)| row["order_id"].as_str().unwrap().to_owned()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|order| !stored.contains(*order)).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
}

/// The process ends by itself before Cloud Run kills it.
#[tokio::test]
async fn a_delivery_that_outlasts_the_shutdown_is_not_acknowledged() {
    let bigquery = TestBigQuery::start().await;
    let lag = LagMonitor::start();
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "590s")]).await;
    bigquery.faults().always(Some(Fault::Delay(Duration::from_secs(60))));
    let stuck = tokio::spawn({
        let url = service.url.clone();
        let body = Entry::of_query("user_id=u").pushed();
        async move { http::client().post(url).body(body).send().await }
    });
    bigquery.wait_for_requests(1).await;
    let began = Instant::now();
    assert!(terminate(service).await, "the delivery is in flight until the timeout");
    // The bound is the feature: Cloud Run sends SIGKILL after ten seconds. The lag is that of this test, not the service's.
    let limit = Duration::from_secs(10) + 2 * lag.max();
    assert!(began.elapsed() < limit, "{:?} of {limit:?}", began.elapsed());
    assert!(stuck.await.unwrap().is_err(), "it was never acknowledged");
}
