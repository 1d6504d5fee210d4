//! `local` with common BigQuery clients.

mod bq;
mod python;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::local::Local;

/// Timeout of a client program. `bq` needs seconds to start.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(120);

/// A local pipeline that has stored two events and a dead letter.
async fn stored(dir: &Path) -> Local {
    let local = Local::start(dir, &[("TABLE_SUFFIX", "_{user_id}")]).await;
    for order_id in ["1", "%C3%BC%22%0A"] {
        local.fire(&format!("user_id=u1&type=click&order_id={order_id}")).await;
    }
    local.wait_for_rows("pixel_u1", 2).await;
    let push = json!({"message": {"data": "%%%", "messageId": "1", "attributes": {"k": "v"}}, "deliveryAttempt": 3});
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(http.post(&local.push).body(push.to_string()).send().await.unwrap().status(), 204);
    local
}

/// Runs a program to its end; `None` if it is not installed.
async fn output(command: &mut Command) -> Option<Output> {
    let run = command.kill_on_drop(true).output();
    tokio::time::timeout(CLIENT_TIMEOUT, run).await.expect("the program ends").ok()
}

/// The JSON output of a program, which must have succeeded.
fn printed(output: &Output) -> Value {
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text} {errors}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {errors}"))
}

/// A script of the emulator's tests, where most of what these programs can do is tested.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/bigquery-emulator/tests/clients").join(name)
}
