//! `--until-empty`: a scheduled job.

use std::time::Duration;

use bigquery_emulator::{Fault, Status};

use super::{NAME, entries, pull, run, run_until_empty, stored};
use crate::support::pull::PullSubscription;
use crate::support::service::send_signal;
use crate::support::wait::{wait_until, within};
use crate::support::{Entry, TestBigQuery};

#[tokio::test]
async fn a_job_ends_when_every_message_is_settled() {
    let others = [Entry::of_url("https://track.example.com/elsewhere").json(), "no JSON".to_owned()];
    let subscription = PullSubscription::start(NAME, entries(0..30).chain(others)).await;
    let bigquery = TestBigQuery::start().await;
    let job = run_until_empty(&bigquery, &subscription.address, &[]).await;
    assert_eq!(job.code, Some(0), "{}", job.err);
    let counts = (job.count("stored", None), job.count("filtered", Some("path")), job.count("dead_letter", Some("bad_json")));
    assert_eq!(counts, (30, 1, 1), "{}", job.out);
    assert_eq!(job.summary()["unsettled"], 0);
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..30));
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
    assert_eq!(subscription.acknowledged().len(), 32);
    assert_eq!(subscription.nacks(), 0);

    let again = run(pull(&bigquery, &subscription.address, &["--until-empty", "--idle=500ms"])).await;
    assert_eq!((again.code, again.out.starts_with("0 messages pulled")), (Some(0), true), "{}{}", again.out, again.err);
}

/// A message is returned while BigQuery is down, and settled when it comes again.
#[tokio::test]
async fn messages_that_were_returned_are_stored_later() {
    let subscription = PullSubscription::start(NAME, entries(0..20)).await;
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().always(Some(Fault::Status(Status::new(503, "backendError"))));
    let mut command = pull(&bigquery, &subscription.address, &["--until-empty", "--idle=2s", "--format=json"]);
    let job = tokio::spawn(run({
        command.env("PUSH_DEADLINE", "300ms");
        command
    }));
    wait_until("every message was returned", async || subscription.nacks() >= 20).await;
    assert!(subscription.acknowledged().is_empty());
    bigquery.faults().always(None);
    let job = within("the job ends", job).await.unwrap();
    assert_eq!((job.code, job.count("stored", None)), (Some(0), 20), "{}", job.err);
    assert!(job.count("retry", Some("unavailable")) + job.count("retry", Some("deadline")) >= 20, "{}", job.out);
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..20));
    assert_eq!(subscription.acknowledged().len(), 20);
}

/// Without a retry policy, Pub/Sub delivers a returned message at once.
#[tokio::test]
async fn a_message_is_returned_after_a_second_at_the_earliest() {
    let subscription = PullSubscription::start(NAME, entries(0..1)).await;
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().always_on("pixel", Fault::Status(Status::new(403, "accessDenied")));
    let started = std::time::Instant::now();
    let mut command = pull(&bigquery, &subscription.address, &["--until-empty"]);
    let child = command.env("PUSH_DEADLINE", "100ms").spawn().unwrap();
    wait_until("the message was returned three times", async || subscription.nacks() >= 3).await;
    assert!(started.elapsed() >= Duration::from_secs(3), "{:?}", started.elapsed());
    drop(child);
}

#[tokio::test]
async fn a_job_that_is_stopped_exits_with_1() {
    let subscription = PullSubscription::start(NAME, entries(0..5)).await;
    let bigquery = TestBigQuery::start().await;
    let child = pull(&bigquery, &subscription.address, &["--until-empty", "--format=json"]).spawn().unwrap();
    wait_until("the messages are acknowledged", async || subscription.acknowledged().len() == 5).await;
    send_signal(&child, "INT");
    let output = within("the job ends", child.wait_with_output()).await.unwrap();
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &summary["interrupted"]), (Some(1), &true.into()));
}
