//! Replay from a pull subscription: processed messages are acknowledged, and no others.

use std::time::Duration;

use bigquery_emulator::{Fault, Status};
use google_cloud_pubsub::client::SubscriptionAdmin;
use tokio::process::Command;

use super::{column, replay, run};
use crate::pubsub_emulator::{Emulator, anonymous};
use crate::support::external::skipped;
use crate::support::pull::PullSubscription;
use crate::support::service::{TIMEOUT, send_signal};
use crate::support::{Entry, TestBigQuery};

const NAME: &str = "pixel-dead-letter";
const ENTRIES: usize = 20;

/// Entries for two tables alternately, and one message that is not an entry.
fn texts() -> impl Iterator<Item = String> {
    let query = |order: usize| format!("user_id={}&order_id={order:02}", ["even", "odd"][order % 2]);
    (0..ENTRIES).map(move |order| Entry::of_query(&query(order)).json()).chain(["no JSON".to_owned()])
}

fn orders(wanted: impl Fn(&usize) -> bool) -> Vec<String> {
    (0..ENTRIES).filter(wanted).map(|order| format!("{order:02}")).collect()
}

fn pull(bigquery: &TestBigQuery, address: &str, args: &[&str]) -> Command {
    pull_until_idle("3s", bigquery, address, args)
}

fn pull_until_idle(idle: &str, bigquery: &TestBigQuery, address: &str, args: &[&str]) -> Command {
    let mut command = replay(bigquery, &[args, &["--format=json", "--idle-timeout", idle]].concat());
    command.env("PUBSUB_EMULATOR_HOST", address).env("TABLE_SUFFIX", "_{user_id}");
    command
}

#[tokio::test]
async fn only_processed_messages_are_acknowledged() {
    let subscription = PullSubscription::start(NAME, texts()).await;
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().always_on("pixel_odd", Fault::Status(Status::new(503, "backendError")));
    let from = ["--subscription", NAME];
    let refused = run(pull(&bigquery, &subscription.address, &[&from[..], &["--give-up-after=300ms"]].concat())).await;
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    let counts = (refused.count("stored"), refused.count("failed"), refused.count("dead_letter"));
    assert_eq!(counts, (10, 10, 1), "{}", refused.out);
    assert_eq!(column(&bigquery, "pixel_even", "order_id").await, orders(|order| order % 2 == 0));
    let processed: Vec<usize> = (0..=ENTRIES).filter(|position| position % 2 == 0).collect();
    assert_eq!(subscription.acknowledged(), processed, "stored messages and the dead letter");

    bigquery.faults().always(None);
    let rest = run(pull(&bigquery, &subscription.address, &from)).await;
    assert_eq!((rest.code, rest.count("stored")), (Some(0), 10), "{}", rest.err);
    assert_eq!(rest.summary()["entries"], 10, "processed messages are not delivered again");
    assert_eq!(column(&bigquery, "pixel_odd", "order_id").await, orders(|order| order % 2 == 1));
    assert_eq!(subscription.acknowledged().len(), ENTRIES + 1);
}

/// Held messages do not use up the concurrency.
#[tokio::test]
async fn messages_of_a_dry_run_and_skipped_messages_are_returned() {
    let subscription = PullSubscription::start(NAME, texts()).await;
    let bigquery = TestBigQuery::start().await;
    let from = ["--subscription", NAME, "--concurrency=2"];
    let counted = run(pull(&bigquery, &subscription.address, &[&from[..], &["--dry-run"]].concat())).await;
    assert_eq!((counted.code, counted.count("stored"), counted.count("dead_letter")), (Some(0), 20, 1), "{}", counted.err);
    let skipped = run(pull(&bigquery, &subscription.address, &[&from[..], &["--since=2026-02-01"]].concat())).await;
    // The message that is not a log entry has no time.
    assert_eq!((skipped.code, skipped.count("skipped"), skipped.count("failed")), (Some(1), 20, 1), "{}", skipped.err);
    assert!(subscription.acknowledged().is_empty());
    assert!(bigquery.rows("pixel_even").await.is_empty());

    let all = run(pull(&bigquery, &subscription.address, &from)).await;
    assert_eq!((all.code, all.count("stored")), (Some(0), 20), "{}", all.err);
    assert_eq!(subscription.acknowledged().len(), ENTRIES + 1);
}

#[tokio::test]
async fn a_killed_run_has_acknowledged_only_stored_messages() {
    for (signal, code) in [("KILL", None), ("INT", Some(1))] {
        let subscription = PullSubscription::start(NAME, texts()).await;
        let bigquery = TestBigQuery::start().await;
        bigquery.faults().always_on("pixel_odd", Fault::Delay(Duration::from_secs(60)));
        let child = pull(&bigquery, &subscription.address, &["--subscription", NAME]).spawn().unwrap();
        let acknowledged = async {
            while subscription.acknowledged().len() < ENTRIES / 2 + 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(TIMEOUT, acknowledged).await.expect("stored messages are acknowledged before the end");
        send_signal(&child, signal);
        let output = tokio::time::timeout(TIMEOUT, child.wait_with_output()).await.expect("the command ends").unwrap();
        assert_eq!(output.status.code(), code, "{signal}: {}", String::from_utf8_lossy(&output.stderr));
        bigquery.faults().always(None);

        let rest = run(pull(&bigquery, &subscription.address, &["--subscription", NAME])).await;
        assert_eq!((rest.code, &rest.summary()["entries"]), (Some(0), &10.into()), "{signal}: {}", rest.err);
        assert_eq!(column(&bigquery, "pixel_odd", "order_id").await, orders(|order| order % 2 == 1), "{signal}");
    }
}

#[tokio::test]
async fn a_missing_subscription_exits_with_1() {
    let subscription = PullSubscription::start(NAME, []).await;
    let bigquery = TestBigQuery::start().await;
    let missing = run(pull(&bigquery, &subscription.address, &["--subscription=pixel-elsewhere"])).await;
    assert_eq!(missing.code, Some(1), "{}", missing.err);
    assert!(missing.err.contains("cannot read the subscription") && missing.err.contains("pixel-elsewhere"), "{}", missing.err);
}

#[tokio::test]
async fn an_empty_subscription_is_said_to_be_empty() {
    let subscription = PullSubscription::start(NAME, []).await;
    let bigquery = TestBigQuery::start().await;
    let mut command = replay(&bigquery, &["--subscription", NAME, "--idle-timeout=500ms"]);
    let empty = run({
        command.env("PUBSUB_EMULATOR_HOST", &subscription.address);
        command
    })
    .await;
    assert_eq!(empty.code, Some(0), "{}", empty.err);
    assert!(empty.out.contains("nothing to replay: the subscription has no messages"), "{}", empty.out);
}

#[tokio::test]
async fn a_subscription_that_nobody_serves_exits_with_1() {
    let bigquery = TestBigQuery::start().await;
    // A free port without a listener, and one that answers with another protocol.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let other = bigquery.url.strip_prefix("http://").unwrap();
    for address in [closed.as_str(), other] {
        let refused = run(pull_until_idle("500ms", &bigquery, address, &["--subscription", NAME])).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{address}: {}", refused.err);
        assert!(refused.err.contains("error: cannot replay the subscription") && refused.err.contains(address), "{}", refused.err);
    }
}

/// Against Google's emulator.
#[tokio::test]
async fn a_subscription_of_googles_emulator_is_read() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("a_subscription_of_googles_emulator_is_read", what),
    };
    let admin = SubscriptionAdmin::builder().with_endpoint(&emulator.endpoint).with_credentials(anonymous()).build().await.unwrap();
    let request = admin.create_subscription().set_name(format!("projects/test-project/subscriptions/{NAME}"));
    request.set_topic(emulator.topic()).set_ack_deadline_seconds(10).send().await.unwrap();
    let bigquery = TestBigQuery::start().await;
    emulator.publish(texts()).await;
    // The first message may take seconds.
    let replayed = run(pull_until_idle("15s", &bigquery, &emulator.endpoint, &["--subscription", NAME])).await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    assert_eq!((replayed.count("stored"), replayed.count("dead_letter")), (ENTRIES as u64, 1));
    assert_eq!(column(&bigquery, "pixel_even", "order_id").await, orders(|order| order % 2 == 0));
    let letters = bigquery.rows("dead_letters").await;
    assert_eq!((letters.len(), letters[0]["message_id"].is_null()), (1, false));
}
