//! `local --demo` and `--for`: generated traffic, a limited run time, and the summary.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpStream;

use crate::support::bigquery::TempDir;
use crate::support::local::{Local, local};
use crate::support::service::TIMEOUT;

/// The numbers of a summary by name.
fn read(summary: &str) -> BTreeMap<String, u64> {
    let number = |line: &str| {
        let (name, rest) = line.split_once("  ")?;
        Some((name.to_owned(), rest.split_whitespace().next()?.parse().ok()?))
    };
    summary.lines().filter_map(number).collect()
}

#[tokio::test]
async fn the_demo_stops_after_its_duration_and_every_event_is_counted() {
    let dir = TempDir::new();
    let mut running = Local::start_with(dir.path(), &["--demo", "200", "--for", "2s"], &[]).await;
    let (status, summary) = running.wait().await;
    assert_eq!(status.code(), Some(0), "{summary}");
    let counts = read(&summary);
    // The exact number depends on the load of the machine.
    assert!(counts["requests"] > 10 && counts["stored"] > 0, "{summary}");
    assert_eq!(counts["requests"], counts["published"] + counts["excluded"], "{summary}");
    assert_eq!(counts["published"], counts["stored"] + counts["filtered"] + counts["dead letters"], "{summary}");
    assert!(!counts.contains_key("lost"), "{summary}");

    // Without the demo, the tables contain the rows of the summary.
    let restarted = Local::start(dir.path(), &[]).await;
    let tables = restarted.tables().await;
    assert_eq!(tables.len() as u64, counts["tables created"], "{tables:?}");
    let mut rows = 0;
    for table in tables.iter().filter(|table| table.starts_with("pixel")) {
        rows += restarted.column(table, "event_id").await.len() as u64;
    }
    assert_eq!(rows, counts["stored"], "{summary}");
}

/// Without a template table, no message can be stored.
#[tokio::test]
async fn lost_messages_are_counted_and_exit_with_1() {
    let dir = TempDir::new();
    let settings = [("AUTO_CREATE", "false"), ("PUSH_DEADLINE", "100ms")];
    let mut running = Local::start_with(dir.path(), &["--for", "1h"], &settings).await;
    for n in 0..5 {
        assert_eq!(running.fire(&format!("user_id=u&order_id={n}")).await.status(), 200);
    }
    let label = "pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"no_template\"}";
    running.wait_until("a delivery is nacked", async || running.metric(label).await >= 1.0).await;
    let pixel = running.pixel.trim_start_matches("http://").trim_end_matches("/pixel.png").to_owned();
    let first_signal = Instant::now();
    running.signal("INT");
    running.wait_until("the pixel is closed", async || TcpStream::connect(&pixel).await.is_err()).await;
    // The first signal starts the drain of ten seconds. The second ends it, so the bound is the tested feature.
    running.signal("INT");
    let (status, summary) = running.wait().await;
    assert!(first_signal.elapsed() < Duration::from_secs(10), "the second signal ends the drain");
    assert_eq!(status.code(), Some(1), "{summary}");
    assert_eq!(read(&summary)["lost"], 5, "{summary}");
    assert!(summary.contains("no_template"), "{summary}");
}

#[tokio::test]
async fn invalid_flags_are_rejected() {
    let dir = TempDir::new();
    for (flags, named) in [
        (["--for", "soon"], "\"soon\" is not a duration"),
        (["--demo", "often"], "\"often\" is not a number"),
        (["--demo", "0"], "\"0\" is not a number"),
        (["--max-delivery-attempts", "4"], "4 is not in 5..=100"),
        (["--host", "everywhere"], "--host"),
        (["--push-endpoint", "http://h/"], "--pubsub-emulator-host"),
        (["--pubsub-emulator-host", "http://h/path"], "PUBSUB_EMULATOR_HOST"),
    ] {
        let output = tokio::time::timeout(TIMEOUT, local(dir.path()).args(flags).output()).await.expect("local exits").unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {log}");
        let log = log.replace("\\\"", "\"");
        assert!(log.contains(named), "{flags:?}: {log}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_loopback_prints_a_warning() {
    let dir = TempDir::new();
    let open = Local::start_with(dir.path(), &["--host", "0.0.0.0"], &[("TABLE_SUFFIX", "")]).await;
    assert!(open.welcome.contains("WARNING") && open.pixel.starts_with("http://127.0.0.1:"), "{}", open.welcome);
    open.fire("user_id=u").await;
    open.wait_for_rows("pixel", 1).await;
    // On Linux, 127.0.0.2 is also this machine.
    let other_address = open.bigquery.replace("127.0.0.1", "127.0.0.2");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let projects: Value =
        serde_json::from_str(&http.get(format!("{other_address}/bigquery/v2/projects")).send().await.unwrap().text().await.unwrap())
            .unwrap();
    assert_eq!(projects["totalItems"], 1, "{projects}");
    drop(open);
    let dir = TempDir::new();
    let closed = Local::start(dir.path(), &[]).await;
    assert!(!closed.welcome.contains("WARNING"), "{}", closed.welcome);
    assert!(http.get(closed.bigquery.replace("127.0.0.1", "127.0.0.2")).send().await.is_err());
}
