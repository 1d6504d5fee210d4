//! MAX_IN_FLIGHT and MAX_IN_FLIGHT_BYTES, at Pub/Sub and in the worker.

use std::sync::Arc;

use bigquery_emulator::Fault;
use tokio::sync::Semaphore;

use super::{NAME, entries, stored, wait_until_acknowledged, worker};
use crate::support::TestBigQuery;
use crate::support::pull::PullSubscription;

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

/// The stub does not count bytes, so the worker has to. A single message may have more.
#[tokio::test]
async fn a_worker_processes_no_more_bytes_than_its_limit() {
    for (limit, in_progress) in [("1", 1.0), ("1500", 2.0)] {
        let subscription = PullSubscription::start(NAME, entries(0..20)).await;
        let bigquery = TestBigQuery::start().await;
        let gate = Arc::new(Semaphore::new(0));
        bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
        let worker = worker(&bigquery, &subscription.address, &[("MAX_IN_FLIGHT_BYTES", limit)]).await;
        worker.wait_for_pending_rows(in_progress as usize).await;
        assert_eq!(worker.metric("pixel_pipeline_in_flight").await, in_progress, "{limit} bytes");
        assert!(worker.metric("pixel_pipeline_in_flight_bytes").await <= limit.parse::<f64>().unwrap().max(1000.0));
        gate.add_permits(1000);
        wait_until_acknowledged(&subscription, 20).await;
    }
}
