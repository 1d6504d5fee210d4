//! `local` with Google's Pub/Sub emulator between log sink and service.

use std::net::{SocketAddr, TcpListener};

use crate::pubsub_emulator::Emulator;
use crate::support::bigquery::TempDir;
use crate::support::external::skipped;
use crate::support::local::{Local, local};
use crate::support::service::PATIENCE;

#[tokio::test]
async fn the_emulator_takes_the_topics_place_and_is_told_of_a_new_port() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("the_emulator_takes_the_topics_place_and_is_told_of_a_new_port", what),
    };
    let host = emulator.endpoint.strip_prefix("http://").unwrap();
    let settings = [("PUBSUB_EMULATOR_HOST", host), ("TABLE_SUFFIX", "")];
    let (topic, subscription) = ("projects/local/topics/pixel", "projects/local/subscriptions/pixel-push");
    for (topic_was, subscription_was) in [("was created", "was created"), ("exists", "exists and now pushes here")] {
        let dir = TempDir::new();
        let mut local = Local::start(dir.path(), &settings).await;
        let told = format!("The Pub/Sub emulator pushes to {}: {topic} {topic_was}, {subscription} {subscription_was}.", local.push);
        assert!(local.welcome.contains(&told), "{}", local.welcome);
        for n in 0..20 {
            local.fire(&format!("user_id=u&order_id={n}")).await;
        }
        // At once: it waits for what the emulator has yet to push.
        local.signal("TERM");
        let (status, summary) = local.wait().await;
        assert_eq!(status.code(), Some(0), "{summary}");
        assert!(!summary.contains("lost"), "{summary}");
        let again = Local::start(dir.path(), &[("TABLE_SUFFIX", "")]).await;
        assert_eq!(again.column("pixel", "order_id").await.len(), 20, "{summary}");
    }
}

/// As for an emulator in a container, to which 127.0.0.1 is itself.
#[tokio::test]
async fn the_emulator_pushes_to_where_it_is_told() {
    let emulator = match Emulator::start().await {
        Ok(emulator) => emulator,
        Err(what) => return skipped("the_emulator_pushes_to_where_it_is_told", what),
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

/// Where nobody listens now.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn an_emulator_that_does_not_answer_is_named() {
    let dir = TempDir::new();
    let nobody = free_address().to_string();
    let run = local(dir.path()).env("PUBSUB_EMULATOR_HOST", &nobody).output();
    let output = tokio::time::timeout(2 * PATIENCE, run).await.expect("it gives up").unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains(&format!("http://{nobody} (PUBSUB_EMULATOR_HOST)")), "{log}");
}
