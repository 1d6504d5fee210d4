//! MAX_IN_FLIGHT and MAX_IN_FLIGHT_BYTES, at Pub/Sub and in the worker.

use std::sync::Arc;

use bigquery_emulator::Fault;
use tokio::sync::Semaphore;

use super::{NAME, entries, stored, wait_until_acknowledged, worker};
use crate::support::pull::PullSubscription;
use crate::support::wait::wait_until;
use crate::support::{Entry, TestBigQuery};

#[tokio::test]
async fn pub_sub_delivers_up_to_the_limits() {
    let subscription = PullSubscription::start(NAME, entries(0..50)).await;
    let bigquery = TestBigQuery::start().await;
    let gate = Arc::new(Semaphore::new(0));
    bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
    let worker = worker(&bigquery, &subscription.address, &[("MAX_IN_FLIGHT", "7"), ("MAX_IN_FLIGHT_BYTES", "1000000")]).await;
    worker.wait_for_pending_rows(7).await;
    assert_eq!(subscription.limits(), (7, 1_000_000));
    assert_eq!(subscription.delivered(), 7);
    assert_eq!(worker.metric("pixel_pipeline_in_flight").await, 7.0);
    gate.add_permits(1000);
    wait_until_acknowledged(&subscription, 50).await;
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..50));
}

/// The stub does not count bytes, so the worker has to: for a payload of 0.6 KB twice as many. A single message may have more.
#[tokio::test]
async fn a_worker_processes_no_more_bytes_than_its_limit() {
    for (limit, in_progress) in [("1", 1.0), ("3000", 2.0)] {
        let subscription = PullSubscription::start(NAME, entries(0..20)).await;
        let bigquery = TestBigQuery::start().await;
        let gate = Arc::new(Semaphore::new(0));
        bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
        let worker = worker(&bigquery, &subscription.address, &[("MAX_IN_FLIGHT_BYTES", limit)]).await;
        worker.wait_for_pending_rows(in_progress as usize).await;
        assert_eq!(worker.metric("pixel_pipeline_in_flight").await, in_progress, "{limit} bytes");
        assert!(worker.metric("pixel_pipeline_in_flight_bytes").await <= limit.parse::<f64>().unwrap().max(2000.0));
        gate.add_permits(1000);
        wait_until_acknowledged(&subscription, 20).await;
    }
}

/// A row of 120 KB is made of 60 KB. The others wait, and none is returned.
#[tokio::test]
async fn rows_beyond_max_in_flight_bytes_wait() {
    let text = |order: usize| Entry::of_query(&format!("user_id=u&order_id={order}&type={}", "%00".repeat(20_000))).json();
    let subscription = PullSubscription::start(NAME, (0..6).map(text)).await;
    let bigquery = TestBigQuery::start().await;
    let gate = Arc::new(Semaphore::new(0));
    bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
    let worker = worker(&bigquery, &subscription.address, &[("MAX_IN_FLIGHT_BYTES", "300000"), ("PUSH_DEADLINE", "120s")]).await;
    wait_until("more messages than rows are in progress", async || worker.metric("pixel_pipeline_in_flight").await >= 2.0).await;
    worker.wait_for_pending_rows(1).await;
    gate.add_permits(1000);
    wait_until_acknowledged(&subscription, 6).await;
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..6));
    assert_eq!(subscription.nacks(), 0);
    assert_eq!(worker.metric("pixel_pipeline_in_flight_bytes").await, 0.0);
}
