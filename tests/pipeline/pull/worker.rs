//! A worker: it pulls until SIGTERM. Its faults are those of the push service.

use std::sync::Arc;

use bigquery_emulator::Fault;
use tokio::sync::Semaphore;
use tonic::{Code, Status};

use super::{NAME, entries, stored, wait_until_acknowledged, worker};
use crate::support::TestBigQuery;
use crate::support::pull::PullSubscription;
use crate::support::wait::wait_until;

#[tokio::test]
async fn a_worker_has_endpoints_and_ends_with_0_after_sigterm() {
    let subscription = PullSubscription::start(NAME, entries(0..10)).await;
    let bigquery = TestBigQuery::start().await;
    let worker = worker(&bigquery, &subscription.address, &[]).await;
    wait_until_acknowledged(&subscription, 10).await;
    subscription.publish(entries(10..12));
    wait_until_acknowledged(&subscription, 12).await;
    assert_eq!(worker.get("/health").await.status, 200);
    assert_eq!(worker.get("/ready").await.status, 200);
    assert_eq!(worker.push("{}").await.status, 404, "it has no push endpoint");
    assert_eq!(worker.metric("pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}").await, 12.0);
    let (status, log) = worker.end().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert!(log.iter().any(|line| line.contains(r#""report":"deliveries""#)), "the last report is written: {log:#?}");
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..12));
    assert_eq!(subscription.nacks(), 0);
}

#[tokio::test]
async fn messages_in_progress_at_sigterm_are_stored_and_acknowledged() {
    let subscription = PullSubscription::start(NAME, entries(0..10)).await;
    let bigquery = TestBigQuery::start().await;
    let gate = Arc::new(Semaphore::new(0));
    bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
    let mut worker = worker(&bigquery, &subscription.address, &[("MAX_IN_FLIGHT", "10")]).await;
    worker.wait_for_pending_rows(10).await;
    worker.signal("TERM");
    worker.wait_for_log("shutting down").await;
    subscription.publish(entries(10..15));
    gate.add_permits(1000);
    assert_eq!(worker.wait().await.code(), Some(0), "{:#?}", worker.log());
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..10), "{:#?}", worker.log());
    assert_eq!(subscription.acknowledged(), Vec::from_iter(0..10));
    assert_eq!(subscription.delivered(), 0);
}

#[tokio::test]
async fn messages_that_take_too_long_at_sigterm_are_returned() {
    let subscription = PullSubscription::start(NAME, entries(0..10)).await;
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().always(Some(Fault::Hold(Arc::new(Semaphore::new(0)))));
    let mut held = worker(&bigquery, &subscription.address, &[("PUSH_DEADLINE", "60s")]).await;
    held.wait_for_pending_rows(10).await;
    let started = std::time::Instant::now();
    held.signal("TERM");
    assert_eq!(held.wait().await.code(), Some(1));
    assert!(started.elapsed().as_secs_f64() < 9.5, "Cloud Run kills it after 10 s: {:?}", started.elapsed());
    assert_eq!((subscription.acknowledged().len(), subscription.delivered(), subscription.nacks()), (0, 0, 10));
    bigquery.faults().always(None);
    let _other = worker(&bigquery, &subscription.address, &[]).await;
    wait_until_acknowledged(&subscription, 10).await;
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..10));
}

#[tokio::test]
async fn a_second_worker_finishes_what_a_killed_one_had() {
    let subscription = PullSubscription::start(NAME, entries(0..40)).await;
    let bigquery = TestBigQuery::start().await;
    let mut killed = worker(&bigquery, &subscription.address, &[]).await;
    wait_until_acknowledged(&subscription, 20).await;
    // Held inserts keep messages in progress until the kill.
    let requests = bigquery.faults().insert_all_requests().requests;
    bigquery.faults().always(Some(Fault::Hold(Arc::new(Semaphore::new(0)))));
    subscription.publish(entries(40..60));
    bigquery.wait_for_requests(requests + 1).await;
    let mut second = worker(&bigquery, &subscription.address, &[]).await;
    killed.signal("KILL");
    killed.wait().await;
    bigquery.faults().always(None);
    wait_until_acknowledged(&subscription, 60).await;
    second.signal("TERM");
    assert_eq!(second.wait().await.code(), Some(0), "{:#?}", second.log());
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..60));
}

/// With errors that Google's client retries, with errors that it takes for permanent, and without an error.
#[tokio::test]
async fn a_stream_that_ends_is_opened_again() {
    let subscription = PullSubscription::start(NAME, []).await;
    let bigquery = TestBigQuery::start().await;
    let worker = worker(&bigquery, &subscription.address, &[]).await;
    let codes = [Code::Unavailable, Code::Internal, Code::Aborted, Code::ResourceExhausted, Code::Cancelled, Code::Unknown];
    let ends = codes.map(|code| Some(Status::new(code, "the stream ends"))).into_iter().chain([None]);
    let mut published = 0;
    for end in ends {
        // Half of the messages come before the end of the stream, and half after it.
        subscription.publish(entries(published..published + 2));
        wait_until_acknowledged(&subscription, published + 2).await;
        let streams = subscription.streams();
        subscription.end_streams(end.clone());
        subscription.publish(entries(published + 2..published + 4));
        published += 4;
        wait_until(&format!("a new stream is opened after {end:?}"), async || subscription.streams() > streams).await;
        wait_until_acknowledged(&subscription, published).await;
    }
    let (status, log) = worker.end().await;
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..published));
}

/// The row of the first delivery is stored after the lease has expired, and the second delivery is acknowledged.
#[tokio::test]
async fn an_expired_lease_neither_loses_nor_duplicates_a_row() {
    let subscription = PullSubscription::start(NAME, entries(0..10)).await;
    let bigquery = TestBigQuery::start().await;
    let gate = Arc::new(Semaphore::new(0));
    bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
    let first = worker(&bigquery, &subscription.address, &[]).await;
    first.wait_for_pending_rows(10).await;
    let second = worker(&bigquery, &subscription.address, &[]).await;
    subscription.expire_leases();
    wait_until("all messages are delivered again", async || subscription.deliveries().iter().all(|count| *count >= 2)).await;
    gate.add_permits(1000);
    wait_until_acknowledged(&subscription, 10).await;
    for worker in [first, second] {
        let (status, log) = worker.end().await;
        assert_eq!(status.code(), Some(0), "{log:#?}");
    }
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..10));
}

#[tokio::test]
async fn a_message_whose_ack_was_lost_is_acknowledged_later() {
    let subscription = PullSubscription::start(NAME, entries(0..5)).await;
    let bigquery = TestBigQuery::start().await;
    subscription.lose_acks(true);
    let worker = worker(&bigquery, &subscription.address, &[]).await;
    wait_until("all rows are stored", async || stored(&bigquery).await.len() == 5).await;
    assert!(subscription.acknowledged().is_empty());
    subscription.lose_acks(false);
    subscription.expire_leases();
    wait_until_acknowledged(&subscription, 5).await;
    assert_eq!(worker.end().await.0.code(), Some(0));
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..5), "BigQuery drops the duplicates");
}

#[tokio::test]
async fn a_setting_without_effect_is_logged() {
    let subscription = PullSubscription::start(NAME, entries(0..1)).await;
    let bigquery = TestBigQuery::start().await;
    let mut worker = worker(&bigquery, &subscription.address, &[("HASH_ATTRIBUTES", "type")]).await;
    worker.wait_for_log("HASH_ATTRIBUTES has no effect without the key HASH_USER_IDS").await;
}
