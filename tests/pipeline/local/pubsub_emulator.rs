//! `local` with Google's Pub/Sub emulator instead of its own Pub/Sub.

use std::net::{SocketAddr, TcpListener};

use crate::pubsub_emulator::Emulator;
use crate::support::bigquery::TempDir;
use crate::support::external::skipped;
use crate::support::local::{Local, local};
use crate::support::service::TIMEOUT;

#[tokio::test]
async fn the_emulator_delivers_and_gets_the_new_push_endpoint() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("the_emulator_delivers_and_gets_the_new_push_endpoint", what),
    };
    let host = emulator.endpoint.strip_prefix("http://").unwrap();
    let settings = [("PUBSUB_EMULATOR_HOST", host), ("TABLE_SUFFIX", "")];
    let (topic, subscription) = ("projects/local/topics/pixel", "projects/local/subscriptions/pixel-push");
    for (topic_state, subscription_state) in [("created", "created"), ("existed", "existed, push endpoint changed")] {
        let dir = TempDir::new();
        let mut local = Local::start(dir.path(), &settings).await;
        let line = format!(
            "The Pub/Sub emulator pushes to {}: topic {topic} ({topic_state}), subscription {subscription} ({subscription_state}).",
            local.push
        );
        assert!(local.welcome.contains(&line), "{}", local.welcome);
        for n in 0..20 {
            local.fire(&format!("user_id=u&order_id={n}")).await;
        }
        // Without waiting: the shutdown waits for the deliveries of the emulator.
        local.signal("TERM");
        let (status, summary) = local.wait().await;
        assert_eq!(status.code(), Some(0), "{summary}");
        assert!(!summary.contains("lost"), "{summary}");
        let again = Local::start(dir.path(), &[("TABLE_SUFFIX", "")]).await;
        assert_eq!(again.column("pixel", "order_id").await.len(), 20, "{summary}");
    }
}

/// For example an emulator in a container, where 127.0.0.1 is the container.
#[tokio::test]
async fn the_emulator_pushes_to_the_given_endpoint() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("the_emulator_pushes_to_the_given_endpoint", what),
    };
    let port = free_address().port().to_string();
    let endpoint = format!("http://localhost:{port}/");
    let settings = [("PUBSUB_EMULATOR_HOST", emulator.endpoint.as_str()), ("TABLE_SUFFIX", ""), ("PORT", port.as_str())];
    let dir = TempDir::new();
    let local = Local::start_with(dir.path(), &["--push-endpoint", &endpoint], &settings).await;
    assert!(local.welcome.contains(&format!("pushes to {endpoint}:")), "{}", local.welcome);
    local.fire("user_id=u").await;
    local.wait_for_rows("pixel", 1).await;
}

/// An address without a listener.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn an_unreachable_emulator_is_reported_with_its_address() {
    let dir = TempDir::new();
    let unused = free_address().to_string();
    let run = local(dir.path()).env("PUBSUB_EMULATOR_HOST", &unused).output();
    let output = tokio::time::timeout(2 * TIMEOUT, run).await.expect("local exits").unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains(&format!("http://{unused} (PUBSUB_EMULATOR_HOST)")), "{log}");
}
