//! `local --demo` and `--for`: traffic that makes itself, an end that comes by itself, and what is
//! said and done about messages that did not arrive.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpStream;

use crate::support::bigquery::TempDir;
use crate::support::local::{Local, local};
use crate::support::service::PATIENCE;

/// The numbers of a summary by their names.
fn read(summary: &str) -> BTreeMap<String, u64> {
    let number = |line: &str| {
        let (name, rest) = line.split_once("  ")?;
        Some((name.to_owned(), rest.split_whitespace().next()?.parse().ok()?))
    };
    summary.lines().filter_map(number).collect()
}

#[tokio::test]
async fn the_demo_ends_by_itself_with_everything_accounted_for() {
    let dir = TempDir::new();
    let mut running = Local::start_with(dir.path(), &["--demo", "200", "--for", "2s"], &[]).await;
    let (status, summary) = running.wait().await;
    assert_eq!(status.code(), Some(0), "{summary}");
    let counts = read(&summary);
    // How many depends on what else the machine has to do.
    assert!(counts["requests"] > 10 && counts["stored"] > 0, "{summary}");
    assert_eq!(counts["requests"], counts["published"] + counts["excluded"], "{summary}");
    assert_eq!(counts["published"], counts["stored"] + counts["filtered"] + counts["dead letters"], "{summary}");
    assert!(!counts.contains_key("lost"), "{summary}");

    // Nobody fires any more: what is there is what was said.
    let again = Local::start(dir.path(), &[]).await;
    let tables = again.tables().await;
    assert_eq!(tables.len() as u64, counts["tables made"], "{tables:?}");
    let mut rows = 0;
    for table in tables.iter().filter(|table| table.starts_with("pixel")) {
        rows += again.column(table, "event_id").await.len() as u64;
    }
    assert_eq!(rows, counts["stored"], "{summary}");
}

/// The template table is never made: nothing can be settled.
#[tokio::test]
async fn lost_messages_are_counted_and_end_with_1() {
    let dir = TempDir::new();
    let settings = [("AUTO_CREATE", "false"), ("PUSH_DEADLINE", "100ms")];
    let mut running = Local::start_with(dir.path(), &["--for", "1h"], &settings).await;
    for n in 0..5 {
        assert_eq!(running.fire(&format!("user_id=u&order_id={n}")).await.status(), 200);
    }
    let label = "pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"no_template\"}";
    running.wait_until("a delivery is refused", async || running.metric(label).await >= 1.0).await;
    let pixel = running.pixel.trim_start_matches("http://").trim_end_matches("/pixel.png").to_owned();
    running.signal("INT");
    running.wait_until("no pixel is fired any more", async || TcpStream::connect(&pixel).await.is_err()).await;
    // The first began to wait for what is under way. The second does not want to.
    let began = Instant::now();
    running.signal("INT");
    let (status, summary) = running.wait().await;
    assert!(began.elapsed() < Duration::from_secs(5), "it does not wait its ten seconds");
    assert_eq!(status.code(), Some(1), "{summary}");
    assert_eq!(read(&summary)["lost"], 5, "{summary}");
    assert!(summary.contains("no_template"), "{summary}");
}

#[tokio::test]
async fn a_flag_that_makes_no_sense_is_refused() {
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
        let output = tokio::time::timeout(PATIENCE, local(dir.path()).args(flags).output()).await.expect("it gives up").unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{flags:?}: {log}");
        let log = log.replace("\\\"", "\"");
        assert!(log.contains(named), "{flags:?}: {log}");
    }
}

#[tokio::test]
async fn another_address_is_bound_with_a_word_of_caution() {
    let dir = TempDir::new();
    let open = Local::start_with(dir.path(), &["--host", "0.0.0.0"], &[("TABLE_SUFFIX", "")]).await;
    assert!(open.welcome.contains("CAUTION") && open.pixel.starts_with("http://127.0.0.1:"), "{}", open.welcome);
    open.fire("user_id=u").await;
    open.wait_for_rows("pixel", 1).await;
    // 127.0.0.2 is this machine too, on Linux.
    let elsewhere = open.bigquery.replace("127.0.0.1", "127.0.0.2");
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let projects: Value =
        serde_json::from_str(&http.get(format!("{elsewhere}/bigquery/v2/projects")).send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(projects["totalItems"], 1, "{projects}");
    drop(open);
    let dir = TempDir::new();
    let closed = Local::start(dir.path(), &[]).await;
    assert!(!closed.welcome.contains("CAUTION"), "{}", closed.welcome);
    assert!(http.get(closed.bigquery.replace("127.0.0.1", "127.0.0.2")).send().await.is_err());
}
