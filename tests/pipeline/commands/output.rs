//! Every command with an output that its reader has closed, or that is on a full disk.

use std::fs::OpenOptions;
use std::process::Stdio;

use pixel_pipeline::config::command::Command;
use serde_json::json;

use crate::support::bigquery::{PROJECT, TempDir};
use crate::support::port::free_port;
use crate::support::service::{TIMEOUT, command, send_signal};
use crate::support::wait::wait_until;
use crate::support::{Entry, TestBigQuery, http};

/// A command that writes to both outputs, and its exit code when it can.
struct Case {
    args: Vec<String>,
    code: i32,
}

fn case(code: i32, args: &[&str]) -> Case {
    Case { args: args.iter().map(|&arg| arg.to_owned()).collect(), code }
}

/// A pipe without a reader.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Every write fails, as on a full disk.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// Exit code, standard output and standard error of a run, as far as they are pipes of the test.
async fn run(bigquery: &TestBigQuery, case: &Case, stdout: Stdio, stderr: Stdio) -> (Option<i32>, String, String) {
    let dir = TempDir::new();
    let settings = [("BIGQUERY_EMULATOR_HOST", bigquery.url.as_str()), ("GOOGLE_CLOUD_PROJECT", PROJECT), ("TABLE_SUFFIX", "")];
    let mut command = command(&case.args[0]);
    command.args(&case.args[1..]).current_dir(dir.path()).envs(settings).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let output = tokio::time::timeout(TIMEOUT, command.spawn().unwrap().wait_with_output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn every_command_survives_a_closed_pipe_and_a_full_disk() {
    let dir = TempDir::new();
    let file = dir.path().join("entries.jsonl");
    std::fs::write(&file, format!("{}\n", Entry::of_query("user_id=u").json())).unwrap();
    let file = file.to_str().unwrap();
    let key_file = dir.path().join("key");
    std::fs::write(&key_file, "0f1e2d3c4b5a69788796a5b4c3d2e1f0").unwrap();
    let data_dir = dir.path().join("data");
    let local = ["local", "--for=100ms", "--port=0", "--pixel-port=0", "--bigquery-port=0", "--data-dir", data_dir.to_str().unwrap()];
    let url = "https://t.example.com/pixel.png?user_id=u";
    let columns = json!([{"name": "event_id", "type": "STRING"}, {"name": "event_timestamp", "type": "TIMESTAMP"}, {"name": "user_id", "type": "STRING"}]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let settings = "--valid-attributes=user_id";
    let mut cases = vec![
        case(0, &["explain", url]),
        case(0, &["sign", url, "--key-file", key_file.to_str().unwrap()]),
        case(0, &["cost", "--events-per-month=1M"]),
        case(0, &["cost", "--events-per-month=1M", "--format=json"]),
        case(1, &["check", settings]),
        case(1, &["check", settings, "--format=json"]),
        case(0, &["query", "SELECT * FROM UNNEST(GENERATE_ARRAY(1, 20000))", "--dataset=parsed_pixel"]),
        case(0, &["query", "SELECT * FROM UNNEST(GENERATE_ARRAY(1, 20000))", "--dataset=parsed_pixel", "--format=csv"]),
        case(0, &["query", "SELECT 1", "--dataset=parsed_pixel", "--format=json"]),
        case(0, &["forget", "--user-id=u", settings]),
        case(0, &["replay", file, settings, "--dry-run"]),
        case(0, &["replay", file, settings, "--format=json"]),
        case(0, &local),
    ];
    cases.extend(Command::ALL.iter().map(|command| case(0, &[command.name(), "--help"])));
    for case in cases {
        let (args, code) = (&case.args, Some(case.code));
        let (normal, out, err) = run(&bigquery, &case, Stdio::piped(), Stdio::piped()).await;
        assert_eq!(normal, code, "{args:?}: {err}");
        assert!(!out.is_empty(), "{args:?} prints nothing");
        let (closed_code, _, err) = run(&bigquery, &case, closed(), Stdio::piped()).await;
        assert!(closed_code == code && !err.contains("panic"), "{args:?} with a closed pipe: {closed_code:?} {err}");
        let (full_code, _, err) = run(&bigquery, &case, full(), Stdio::piped()).await;
        let expected = "error: cannot write to standard output: No space left on device";
        assert!(full_code == Some(1) && err.contains(expected), "{args:?} on a full disk: {full_code:?} {err}");
        for (name, stderr) in [("closed", closed()), ("full", full())] {
            let (stderr_code, out, _) = run(&bigquery, &case, Stdio::piped(), stderr).await;
            assert!(stderr_code == code && !out.is_empty(), "{args:?} with standard error {name}: {stderr_code:?}");
        }
    }
}

#[tokio::test]
async fn a_usage_error_exits_with_2_without_standard_error() {
    let bigquery = TestBigQuery::start().await;
    for name in Command::ALL.iter().map(|command| command.name()) {
        for stderr in [closed(), full()] {
            let (code, ..) = run(&bigquery, &case(2, &[name, "--no-such-argument"]), Stdio::piped(), stderr).await;
            assert_eq!(code, Some(2), "{name}");
        }
    }
    for (name, args) in
        [("serve", &["--table-name=a b"][..]), ("forget", &["--table-name=a b", "--user-id=u"]), ("explain", &["--table-name=a b", "u"])]
    {
        for stderr in [closed(), full()] {
            let (code, ..) = run(&bigquery, &case(2, &[&[name], args].concat()), Stdio::piped(), stderr).await;
            assert_eq!(code, Some(2), "{name}");
        }
    }
}

/// `replay` reports each broken entry, and more than a pipe's buffer of them.
#[tokio::test]
async fn replay_stores_every_entry_without_standard_error() {
    let dir = TempDir::new();
    let file = dir.path().join("entries.jsonl");
    let entries: Vec<String> = (0..50).map(|index| Entry::of_query(&format!("user_id=u{index}")).json()).collect();
    std::fs::write(&file, entries.join("\nnot an entry\n")).unwrap();
    for stderr in [closed(), full()] {
        let bigquery = TestBigQuery::start().await;
        let case = case(0, &["replay", file.to_str().unwrap()]);
        run(&bigquery, &case, Stdio::piped(), stderr).await;
        assert_eq!(bigquery.rows("pixel").await.len(), entries.len());
    }
}

#[tokio::test]
async fn serve_stores_events_without_its_outputs() {
    for (stdout, stderr) in [(closed(), closed()), (full(), full())] {
        let bigquery = TestBigQuery::start().await;
        let port = free_port().await.to_string();
        let settings = [
            ("PORT", port.as_str()),
            ("BIGQUERY_EMULATOR_HOST", &bigquery.url),
            ("GOOGLE_CLOUD_PROJECT", PROJECT),
            ("TABLE_SUFFIX", ""),
            ("RUST_LOG", "debug"),
        ];
        let mut serve = command("serve").envs(settings).stdout(stdout).stderr(stderr).spawn().unwrap();
        let http = http::client();
        let url = format!("http://127.0.0.1:{port}");
        let is_ready = async || http.get(format!("{url}/ready")).send().await.is_ok_and(|response| response.status() == 200);
        wait_until("the service is ready", is_ready).await;
        let push = http.post(&url).header("content-type", "application/json").body(Entry::of_query("user_id=u").pushed());
        assert_eq!(push.send().await.unwrap().status(), 204);
        send_signal(&serve, "TERM");
        let status = tokio::time::timeout(TIMEOUT, serve.wait()).await.expect("it ends").unwrap();
        assert_eq!((status.code(), bigquery.rows("pixel").await.len()), (Some(0), 1));
    }
}
