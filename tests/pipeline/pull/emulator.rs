//! The worker and the job against Google's emulator.

use std::sync::Arc;

use bigquery_emulator::Fault;
use google_cloud_pubsub::client::SubscriptionAdmin;
use tokio::sync::Semaphore;

use super::{NAME, entries, pull, run, run_until_empty, stored, worker};
use crate::pubsub_emulator::{Emulator, anonymous};
use crate::support::TestBigQuery;
use crate::support::external::skipped;
use crate::support::wait::wait_until;

async fn subscribe(emulator: &Emulator, is_exactly_once: bool) {
    let admin = SubscriptionAdmin::builder().with_endpoint(&emulator.endpoint).with_credentials(anonymous()).build().await.unwrap();
    let request = admin.create_subscription().set_name(format!("projects/test-project/subscriptions/{NAME}"));
    let request = request.set_topic(emulator.topic()).set_ack_deadline_seconds(10);
    request.set_enable_exactly_once_delivery(is_exactly_once).send().await.unwrap();
}

async fn empty_a_subscription(test: &str, is_exactly_once: bool) {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped(test, what),
    };
    subscribe(&emulator, is_exactly_once).await;
    let bigquery = TestBigQuery::start().await;
    emulator.publish(entries(0..300).chain(["no JSON".to_owned()])).await;
    // The first message may take seconds.
    let job = run_until_empty(&bigquery, &emulator.endpoint, &[]).await;
    assert_eq!(job.code, Some(0), "{}", job.err);
    assert_eq!((job.count("stored", None), job.count("dead_letter", None)), (300, 1), "{}", job.out);
    assert_eq!(job.summary()["unconfirmed"], 0);
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..300));
    // The leases have ended by then.
    let again = run(pull(&bigquery, &emulator.endpoint, &["--until-empty", "--idle=22s", "--format=json"])).await;
    assert_eq!((again.code, &again.summary()["deliveries"]), (Some(0), &0.into()), "every message was acknowledged: {}", again.out);
}

#[tokio::test]
async fn a_job_empties_a_subscription_of_googles_emulator() {
    empty_a_subscription("a_job_empties_a_subscription_of_googles_emulator", false).await;
}

/// The job waits until Pub/Sub has confirmed each ack.
#[tokio::test]
async fn a_job_empties_a_subscription_with_exactly_once_delivery() {
    empty_a_subscription("a_job_empties_a_subscription_with_exactly_once_delivery", true).await;
}

/// The emulator delivers messages of a killed worker again when their leases end.
#[tokio::test]
async fn a_killed_worker_of_googles_emulator_loses_nothing() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("a_killed_worker_of_googles_emulator_loses_nothing", what),
    };
    subscribe(&emulator, false).await;
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
