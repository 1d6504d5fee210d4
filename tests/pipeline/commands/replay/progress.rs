//! Progress on standard error.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bigquery_emulator::Fault;
use tokio::process::Command;

use super::{column, replay, run, write};
use crate::support::bigquery::TempDir;
use crate::support::{Entry, TestBigQuery};

/// A file with `entries` entries, and a BigQuery that answers each request after `each`.
async fn slow(dir: &Path, entries: usize, each: Duration) -> (TestBigQuery, Vec<String>) {
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().always(Some(Fault::Delay(each)));
    let text: String = (0..entries).map(|order| Entry::of_query(&format!("user_id=u&order_id={order:02}")).json() + "\n").collect();
    let file = write(dir, "a.jsonl", text);
    (bigquery, vec![file.display().to_string(), "--concurrency=1".to_owned()])
}

/// The same command in a terminal, which `script` of util-linux provides.
fn in_a_terminal(command: &Command) -> Command {
    let command = command.as_std();
    let words = [command.get_program()].into_iter().chain(command.get_args()).map(|word| format!("'{}'", word.to_str().unwrap()));
    let mut script = Command::new("script");
    script.args(["--quiet", "--flush", "--return", "--command", &words.collect::<Vec<_>>().join(" "), "/dev/null"]);
    script.env_clear().env("TERM", "xterm").env("SHELL", "/bin/sh");
    script.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    script
}

#[tokio::test]
async fn on_a_terminal_a_bar_shows_rate_and_time_left() {
    let dir = TempDir::new();
    let (bigquery, args) = slow(dir.path(), 40, Duration::from_millis(50)).await;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let shown = run(in_a_terminal(&replay(&bigquery, &args))).await;
    assert_eq!(shown.code, Some(0), "{}{}", shown.out, shown.err);
    for expected in [" %  ", " entries, ", "/s  ", " left", "40 entries replayed"] {
        assert!(shown.out.contains(expected), "{expected:?} in {:?}", shown.out);
    }
    assert_eq!(column(&bigquery, "pixel", "order_id").await.len(), 40);
}

#[tokio::test]
async fn without_a_terminal_plain_lines_show_progress() {
    let dir = TempDir::new();
    let (bigquery, args) = slow(dir.path(), 50, Duration::from_millis(250)).await;
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = run(replay(&bigquery, &args)).await;
    assert_eq!(said.code, Some(0), "{}", said.err);
    let lines: Vec<&str> = said.err.lines().filter(|line| line.contains(" entries, ") && line.ends_with(" s left")).collect();
    assert!(!lines.is_empty(), "{}", said.err);
    assert!(!said.err.contains('\x1b') && !said.err.contains('\r'), "{:?}", said.err);
}
