//! SIGTERM, as Cloud Run sends it ten seconds before it kills.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bigquery_emulator::Fault;
use tokio::task::JoinSet;

use crate::support::{Entry, Service, TestBigQuery};

const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");

#[tokio::test]
async fn an_idle_service_ends_at_once() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start(&bigquery, &[]).await;
    // Leaves an idle connection open.
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    let began = Instant::now();
    service.signal("TERM");
    assert_eq!(service.wait().await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_service_that_is_not_ready_ends_as_well() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start_unready(&bigquery.url, &[("AUTO_CREATE", "false")]).await;
    let began = Instant::now();
    service.signal("TERM");
    assert_eq!(service.wait().await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
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
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut senders = JoinSet::new();
    for sender in 0..40 {
        let (http, url) = (http.clone(), service.url.clone());
        senders.spawn(async move {
            let mut acknowledged = Vec::new();
            for number in 0.. {
                let order = format!("{sender}-{number}");
                let body = Entry::of_query(&format!("user_id=u{}&order_id={order}", sender % 5)).pushed();
                match http.post(&url).body(body).send().await {
                    Ok(response) if response.status() == 204 => acknowledged.push(order),
                    Ok(response) => assert_eq!(response.status(), 429, "nacked during the shutdown"),
                    // The service does not listen any more.
                    Err(_) => break,
                }
            }
            acknowledged
        });
    }
    bigquery.wait_for_requests(50).await;
    let began = Instant::now();
    service.signal("TERM");
    let mut service = service;
    assert_eq!(service.wait().await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    let acknowledged: Vec<String> = senders.join_all().await.into_iter().flatten().collect();
    let stored: HashSet<String> =
        bigquery.events().await.into_iter().map(|(_, row)| row["order_id"].as_str().unwrap().to_owned()).collect();
    let lost: Vec<&String> = acknowledged.iter().filter(|order| !stored.contains(*order)).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), acknowledged.len());
    assert!(acknowledged.len() > 50, "{}", acknowledged.len());
}

/// Nine seconds, so that the process ends by itself before it is killed.
#[tokio::test]
async fn a_delivery_that_outlasts_the_shutdown_is_not_acknowledged() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start(&bigquery, &[("PUSH_DEADLINE", "590s")]).await;
    bigquery.faults().always(Some(Fault::Delay(Duration::from_secs(60))));
    let stuck = tokio::spawn({
        let url = service.url.clone();
        let body = Entry::of_query("user_id=u").pushed();
        async move { reqwest::Client::builder().no_proxy().build().unwrap().post(url).body(body).send().await }
    });
    bigquery.wait_for_requests(1).await;
    let began = Instant::now();
    service.signal("TERM");
    assert_eq!(service.wait().await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_millis(9_900), "{:?}", began.elapsed());
    assert!(stuck.await.unwrap().is_err(), "it was never acknowledged");
}
