//! From a pull subscription of Google's Pub/Sub emulator.

use google_cloud_pubsub::client::SubscriptionAdmin;
use pixel_pipeline::local::bigquery::{Fault, Status};

use super::{column, replay, run};
use crate::emulator::{Emulator, anonymous};
use crate::support::external::skipped;
use crate::support::{Entry, TestBigQuery};

const NAME: &str = "pixel-dead-letter";

/// A subscription that keeps what is published from now on.
async fn subscribe(emulator: &Emulator) {
    let admin = SubscriptionAdmin::builder().with_endpoint(&emulator.endpoint).with_credentials(anonymous()).build().await.unwrap();
    let request = admin.create_subscription().set_name(format!("projects/test-project/subscriptions/{NAME}"));
    request.set_topic(emulator.topic()).set_ack_deadline_seconds(10).send().await.unwrap();
}

#[tokio::test]
async fn what_is_stored_is_acknowledged_and_what_is_not_comes_again() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("what_is_stored_is_acknowledged_and_what_is_not_comes_again", what),
    };
    let bigquery = TestBigQuery::start().await;
    subscribe(&emulator).await;
    let entries = (0..20).map(|order| Entry::of_query(&format!("user_id=u&order_id={order:02}")).json());
    emulator.publish(entries.chain(["no JSON".to_owned()])).await;
    let pull = |idle: &str, more: &[&str]| {
        let idle = format!("--idle-timeout={idle}");
        let mut command = replay(&bigquery, &[&["--subscription", NAME, "--format=json", &idle], more].concat());
        command.env("PUBSUB_EMULATOR_HOST", &emulator.endpoint);
        command
    };

    bigquery.faults().always_on("pixel", Fault::Status(Status::new(503, "backendError")));
    let refused = run(pull("2s", &["--give-up-after=300ms"])).await;
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    assert!(refused.count("not_settled") >= 20, "{}", refused.out);
    assert!(bigquery.rows("pixel").await.is_empty());

    bigquery.faults().always(None);
    let replayed = run(pull("4s", &[])).await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    let expected: Vec<String> = (0..20).map(|order| format!("{order:02}")).collect();
    assert_eq!(column(&bigquery, "pixel", "order_id").await, expected);
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);

    let empty = run(pull("2s", &[])).await;
    assert_eq!((empty.code, &empty.summary()["entries"]), (Some(0), &serde_json::json!(0)), "all were acknowledged");
}
