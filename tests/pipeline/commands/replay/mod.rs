//! `pixel-pipeline replay`: each message becomes one row.

mod archive;
mod dead_letters;
mod files;
mod forms;
mod interrupted;
mod progress;
mod subscription;
mod target;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio::process::Command;

use crate::support::bigquery::{PROJECT, TestBigQuery};
use crate::support::service::{TIMEOUT, command};

/// `replay ARGS` with this BigQuery, into one table.
fn replay(bigquery: &TestBigQuery, args: &[&str]) -> Command {
    let mut replay = command("replay");
    replay.args(args).env("BIGQUERY_EMULATOR_HOST", &bigquery.url).env("GOOGLE_CLOUD_PROJECT", PROJECT).env("TABLE_SUFFIX", "");
    replay.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    replay
}

/// The result of one run.
struct Replayed {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Replayed {
    /// The summary of `--format json`.
    fn summary(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?}, {}", self.out, self.err))
    }

    /// Entries with this outcome, with any reason.
    fn count(&self, outcome: &str) -> u64 {
        let summary = self.summary();
        let outcomes = summary["outcomes"].as_array().unwrap().iter().filter(|count| count["outcome"] == outcome);
        outcomes.map(|count| count["count"].as_u64().unwrap()).sum()
    }
}

async fn run(mut command: Command) -> Replayed {
    let output = tokio::time::timeout(TIMEOUT, command.output()).await.expect("the command ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Replayed { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Runs with a JSON summary, and checks the exit code.
async fn replayed(bigquery: &TestBigQuery, args: &[&str]) -> Replayed {
    let run = run(replay(bigquery, &[args, &["--format=json"]].concat())).await;
    assert_eq!(run.code, Some(0), "{args:?}: {}", run.err);
    run
}

fn write(dir: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// The values of a column, sorted.
async fn column(bigquery: &TestBigQuery, table: &str, name: &str) -> Vec<String> {
    let rows = bigquery.rows(table).await;
    let mut values: Vec<String> = rows.iter().map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect();
    values.sort();
    values
}
