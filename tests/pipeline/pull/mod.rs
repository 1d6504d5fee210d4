//! `pixel-pipeline pull`: a worker and a scheduled job, against a stub of Pub/Sub and Google's emulator.

mod emulator;
mod flow_control;
mod job;
mod refusals;
mod worker;

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::support::bigquery::PROJECT;
use crate::support::pull::PullSubscription;
use crate::support::service::command;
use crate::support::wait::{wait_until, within};
use crate::support::{Entry, Service, TestBigQuery};

const NAME: &str = "pixel-pull";

/// Log entries with these orders, all for one table.
fn entries(orders: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    orders.map(|order| Entry::of_query(&format!("user_id=u&order_id={order:03}")).json())
}

/// `pull` from this Pub/Sub into one table.
fn pull(bigquery: &TestBigQuery, pubsub: &str, args: &[&str]) -> Command {
    let mut pull = command("pull");
    let settings = [("BIGQUERY_EMULATOR_HOST", bigquery.url.as_str()), ("PUBSUB_EMULATOR_HOST", pubsub), ("SUBSCRIPTION", NAME)];
    pull.args(args).envs(settings).envs([("GOOGLE_CLOUD_PROJECT", PROJECT), ("TABLE_SUFFIX", "")]);
    pull.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    pull
}

/// A worker that listens on a free port.
async fn worker(bigquery: &TestBigQuery, pubsub: &str, settings: &[(&str, &str)]) -> Service {
    let mut command = pull(bigquery, pubsub, &[]);
    command.stdout(Stdio::null());
    Service::spawn(command, settings).await
}

/// The result of one run.
struct Pulled {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Pulled {
    /// The summary of `--format json`.
    fn summary(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?}, {}", self.out, self.err))
    }

    /// Deliveries with this outcome and reason.
    fn count(&self, outcome: &str, reason: Option<&str>) -> u64 {
        let summary = self.summary();
        let is_wanted = |count: &&Value| count["outcome"] == outcome && (reason.is_none() || count["reason"].as_str() == reason);
        summary["outcomes"].as_array().unwrap().iter().filter(is_wanted).map(|count| count["count"].as_u64().unwrap()).sum()
    }
}

async fn run(mut command: Command) -> Pulled {
    let output = within("the command ends", command.output()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Pulled { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs until the subscription was empty for three seconds.
async fn run_until_empty(bigquery: &TestBigQuery, pubsub: &str, settings: &[(&str, &str)]) -> Pulled {
    let mut command = pull(bigquery, pubsub, &["--until-empty", "--idle=3s", "--format=json"]);
    command.envs(settings.iter().copied());
    run(command).await
}

/// The orders of all rows, sorted.
async fn stored(bigquery: &TestBigQuery) -> Vec<usize> {
    let rows = bigquery.rows("pixel").await;
    let mut orders: Vec<usize> = rows.iter().map(|row| row["order_id"].as_str().unwrap().parse().unwrap()).collect();
    orders.sort_unstable();
    orders
}

async fn wait_until_acknowledged(subscription: &PullSubscription, count: usize) {
    wait_until(&format!("{count} messages are acknowledged"), async || subscription.acknowledged().len() >= count).await;
}
