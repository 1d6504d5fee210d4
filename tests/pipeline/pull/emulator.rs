//! The worker and the job against Google's emulator.

use std::sync::Arc;

use bigquery_emulator::Fault;
use google_cloud_pubsub::client::SubscriptionAdmin;
use tokio::sync::Semaphore;

use super::{NAME, entries, run_until_empty, stored, worker};
use crate::pubsub_emulator::{Emulator, anonymous};
use crate::support::TestBigQuery;
use crate::support::external::skipped;
use crate::support::wait::wait_until;

async fn subscribe(emulator: &Emulator) {
    let admin = SubscriptionAdmin::builder().with_endpoint(&emulator.endpoint).with_credentials(anonymous()).build().await.unwrap();
    let request = admin.create_subscription().set_name(format!("projects/test-project/subscriptions/{NAME}"));
    request.set_topic(emulator.topic()).set_ack_deadline_seconds(10).send().await.unwrap();
}

#[tokio::test]
async fn a_job_empties_a_subscription_of_googles_emulator() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("a_job_empties_a_subscription_of_googles_emulator", what),
    };
    subscribe(&emulator).await;
    let bigquery = TestBigQuery::start().await;
    emulator.publish(entries(0..300).chain(["no JSON".to_owned()])).await;
    // The first message may take seconds.
    let job = run_until_empty(&bigquery, &emulator.endpoint, &[]).await;
    assert_eq!(job.code, Some(0), "{}", job.err);
    assert_eq!((job.count("stored", None), job.count("dead_letter", None)), (300, 1), "{}", job.out);
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..300));
}

/// The emulator delivers messages of a killed worker again when their leases end.
#[tokio::test]
async fn a_killed_worker_of_googles_emulator_loses_nothing() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("a_killed_worker_of_googles_emulator_loses_nothing", what),
    };
    subscribe(&emulator).await;
    let bigquery = TestBigQuery::start().await;
    emulator.publish(entries(0..100)).await;
    let mut killed = worker(&bigquery, &emulator.endpoint, &[]).await;
    wait_until("rows are stored", async || stored(&bigquery).await.len() >= 100).await;
    let requests = bigquery.faults().insert_all_requests().requests;
    bigquery.faults().always(Some(Fault::Hold(Arc::new(Semaphore::new(0)))));
    emulator.publish(entries(100..200)).await;
    bigquery.wait_for_requests(requests + 1).await;
    killed.signal("KILL");
    killed.wait().await;
    bigquery.faults().always(None);
    let second = worker(&bigquery, &emulator.endpoint, &[]).await;
    wait_until("every event is stored", async || stored(&bigquery).await.len() >= 200).await;
    assert_eq!(second.end().await.0.code(), Some(0));
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..200));
    assert!(bigquery.rows("dead_letters").await.is_empty());
}
