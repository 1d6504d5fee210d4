//! Subscriptions that cannot be pulled, at the start and later.

use std::sync::Arc;

use bigquery_emulator::Fault;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tonic::Status;

use super::{NAME, entries, pull, run, stored, worker};
use crate::support::TestBigQuery;
use crate::support::pull::PullSubscription;

#[tokio::test]
async fn a_refused_subscription_exits_with_1_and_names_the_fix() {
    for (status, expected) in [
        (
            Status::permission_denied("User not authorized to perform this action."),
            "grant roles/pubsub.subscriber on projects/test-project/subscriptions/pixel-pull",
        ),
        (Status::not_found("Resource not found (resource=pixel-pull)."), "projects/test-project/subscriptions/pixel-pull does not exist"),
        (Status::unauthenticated("Request had invalid authentication credentials."), "rejected the credentials"),
        (Status::failed_precondition("Subscription is detached."), "Subscription is detached"),
    ] {
        let subscription = PullSubscription::start(NAME, entries(0..3)).await;
        subscription.refuse(status);
        let bigquery = TestBigQuery::start().await;
        for args in [&[][..], &["--until-empty", "--idle=30s"]] {
            let refused = run(pull(&bigquery, &subscription.address, args)).await;
            assert_eq!(refused.code, Some(1), "{}", refused.err);
            assert!(refused.err.contains("cannot pull: ") && refused.err.contains(expected), "{}", refused.err);
        }
        assert!(stored(&bigquery).await.is_empty());
    }
}

#[tokio::test]
async fn permission_denied_ends_the_worker_after_a_drain() {
    let subscription = PullSubscription::start(NAME, entries(0..10)).await;
    let bigquery = TestBigQuery::start().await;
    let gate = Arc::new(Semaphore::new(0));
    bigquery.faults().always(Some(Fault::Hold(Arc::clone(&gate))));
    let mut worker = worker(&bigquery, &subscription.address, &[]).await;
    worker.wait_for_pending_rows(10).await;
    subscription.refuse(Status::permission_denied("User not authorized to perform this action."));
    gate.add_permits(1000);
    assert_eq!(worker.wait().await.code(), Some(1));
    worker.wait_for_log("cannot pull: permission denied: grant roles/pubsub.subscriber").await;
    assert_eq!(stored(&bigquery).await, Vec::from_iter(0..10));
}

#[tokio::test]
async fn an_address_without_pub_sub_exits_with_1_and_creates_nothing() {
    let bigquery = TestBigQuery::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let other = bigquery.url.strip_prefix("http://").unwrap();
    // Accepts connections and closes them.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closing = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    for address in [closed.as_str(), other, &closing] {
        let refused = run(pull(&bigquery, address, &[])).await;
        assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{address}: {}", refused.err);
        assert!(refused.err.contains("cannot pull: ") && refused.err.contains(address), "{}", refused.err);
    }
    assert!(bigquery.tables().await.is_empty());
}

#[tokio::test]
async fn an_invalid_subscription_exits_with_2() {
    let bigquery = TestBigQuery::start().await;
    for (name, expected) in [
        ("", "SUBSCRIPTION: it is not set"),
        ("x y", "is not the name of a subscription"),
        ("projects/p/topics/pixel", "is not a full name"),
        ("projects/p q/subscriptions/pixel", "is not a project id"),
    ] {
        let refused = run({
            let mut command = pull(&bigquery, "127.0.0.1:1", &[]);
            command.env("SUBSCRIPTION", name);
            command
        })
        .await;
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        assert!(refused.err.contains(expected), "{name}: {}", refused.err);
    }
}

#[tokio::test]
async fn an_emulator_on_cloud_run_exits_with_2() {
    let bigquery = TestBigQuery::start().await;
    for name in ["K_SERVICE", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL"] {
        let refused = run({
            let mut command = pull(&bigquery, "127.0.0.1:1", &[]);
            command.env(name, "pixel-pull");
            command
        })
        .await;
        assert_eq!(refused.code, Some(2), "{}", refused.err);
        for setting in ["BIGQUERY_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"] {
            assert_eq!(refused.err.matches(&format!("{setting}: it is set on Cloud Run")).count(), 1, "{name}: {}", refused.err);
        }
    }
}
