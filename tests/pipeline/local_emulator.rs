//! `local` with Google's Pub/Sub emulator between log sink and service.

use crate::emulator::Emulator;
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
    for (topic_was, subscription_was) in [("was made", "was made"), ("was there", "was there and pushes here from now on")] {
        let dir = TempDir::new();
        let mut local = Local::start(dir.path(), &settings).await;
        let told = format!("pushes to {}: {topic} {topic_was}, {subscription} {subscription_was}.", local.push);
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

#[tokio::test]
async fn an_emulator_that_does_not_answer_is_named() {
    let dir = TempDir::new();
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let run = local(dir.path()).env("PUBSUB_EMULATOR_HOST", &nobody).output();
    let output = tokio::time::timeout(2 * PATIENCE, run).await.expect("it gives up").unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains(&format!("http://{nobody} (PUBSUB_EMULATOR_HOST)")), "{log}");
}
