//! The query corpus: each case of crates/googlesql/tests/cases/*.sql is one test, named FILE::TITLE.
//!
//! The cases run with jobs.query over HTTP, because the REST API documents types, error reasons and affected rows, and
//! because the emulator stores the tables. A case that changes tables, or that follows such a case in its file, runs on its
//! own server, after the earlier changes of the file. The other cases share one server.

mod case;
#[path = "../common/server.rs"]
mod server;
#[path = "../common/tables.rs"]
mod tables;
mod types;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use case::{Case, Expected};
use server::{DATASET, PROJECT, TestServer};
use types::{Column, is_same};

/// A case that runs longer fails.
const TIMEOUT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let corpus = Arc::new(Corpus { runtime: Runtime::new().expect("a runtime"), shared: OnceCell::new() });
    let mut trials = vec![Trial::test("samples::every sample query has a case", every_sample_query_has_a_case)];
    let mut names = BTreeSet::new();
    for path in sql_files(&root().join("crates/googlesql/tests/cases")) {
        let topic = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut changes: Vec<Arc<Case>> = Vec::new();
        for case in case::parse_file(&path, root()).into_iter().map(Arc::new) {
            let before = changes.clone();
            if case.changes_tables() {
                changes.push(Arc::clone(&case));
            }
            let title = format!("{topic}::{}", case.title);
            // The line distinguishes cases with the same title.
            let name = if names.insert(title.clone()) { title } else { format!("{title} ({})", case.location) };
            let corpus = Arc::clone(&corpus);
            trials.push(Trial::test(name, move || corpus.run(&before, &case)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn every_sample_query_has_a_case() -> Result<(), Failed> {
    let cases = std::fs::read_to_string(root().join("crates/googlesql/tests/cases/samples.sql"))?;
    let tested: BTreeSet<PathBuf> =
        cases.lines().filter_map(|line| line.strip_prefix("--<")).map(|file| root().join(file.trim())).collect();
    let samples: BTreeSet<PathBuf> = sql_files(&root().join("schema/queries")).into_iter().collect();
    assert!(!samples.is_empty());
    assert_eq!(samples, tested);
    Ok(())
}

/// The folder of the workspace.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The `.sql` files of a folder, sorted by name.
fn sql_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension() == Some(OsStr::new("sql")));
    paths.sort();
    paths
}

/// The runtime and the server that the cases share.
struct Corpus {
    runtime: Runtime,
    shared: OnceCell<TestServer>,
}

impl Corpus {
    /// Runs a case after the changes that the cases before it in its file have made.
    fn run(&self, before: &[Arc<Case>], case: &Case) -> Result<(), Failed> {
        let failure = self.runtime.block_on(async {
            if case.changes_tables() || !before.is_empty() {
                let server = start_with_tables().await;
                for change in before {
                    for statement in &change.statements {
                        query(&server, statement, &change.parameters).await;
                    }
                }
                run_case(&server, case).await
            } else {
                run_case(self.shared.get_or_init(start_with_tables).await, case).await
            }
        });
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }
}

/// A server with the tables of the corpus.
async fn start_with_tables() -> TestServer {
    let server = TestServer::start().await;
    tables::load(root(), PROJECT, async |path, body| server.post(path, body).await).await;
    server
}

/// Runs a case. Returns the difference from the expected answer, in the notation of the cases.
async fn run_case(server: &TestServer, case: &Case) -> Option<String> {
    let mut answer = (0, Value::Null);
    for (index, statement) in case.statements.iter().enumerate() {
        answer = query(server, statement, &case.parameters).await;
        if answer.0 != 200 && index + 1 < case.statements.len() {
            break;
        }
    }
    let difference = difference(&case.expected, answer.0, &answer.1)?;
    Some(format!("{}\n{}\n{difference}", case.location, case.statements.join(";\n")))
}

async fn query(server: &TestServer, sql: &str, parameters: &[Value]) -> (u16, Value) {
    let mut request = json!({
        "query": sql, "useLegacySql": false, "defaultDataset": {"datasetId": DATASET},
        "formatOptions": {"useInt64Timestamp": true}, "timeoutMs": TIMEOUT.as_millis() as u64,
    });
    if !parameters.is_empty() {
        let named = parameters.iter().all(|parameter| parameter.get("name").is_some());
        request["parameterMode"] = if named { "NAMED" } else { "POSITIONAL" }.into();
        request["queryParameters"] = parameters.into();
    }
    server.post("/queries", &request).await
}

/// Compares the expected and the actual answer. Returns the difference.
fn difference(expected: &Expected, status: u16, answer: &Value) -> Option<String> {
    if !(200..500).contains(&status) {
        return Some(format!("got HTTP {status}: {answer}\n"));
    }
    if status == 200 && answer["jobComplete"] != true {
        return Some(format!("got no answer within {} s\n", TIMEOUT.as_secs()));
    }
    let error = (status != 200).then(|| {
        let first = &answer["error"]["errors"][0];
        let text = |key: &str| first[key].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("message"))
    });
    match (expected, error) {
        (Expected::Error { reason, text }, Some((got, message))) if [&got, "any"].contains(&reason.as_str()) && message.contains(text) => {
            None
        }
        (Expected::Error { reason, text }, Some((got, message))) => {
            Some(format!("expected\n--! {reason}: {text}\ngot\n--! {got}: {message}\n"))
        }
        (Expected::Error { reason, text }, None) => {
            let (columns, rows) = result(answer);
            Some(format!("expected\n--! {reason}: {text}\ngot\n{}", notation(&columns, &rows, true)))
        }
        (_, Some((reason, message))) => Some(format!("got\n--! {reason}: {message}\n")),
        (Expected::Affected(count), None) => {
            let got = answer["numDmlAffectedRows"].as_str().unwrap_or("no");
            (got != count.to_string()).then(|| format!("expected {count} rows affected, got {got}\n"))
        }
        (Expected::Nothing, None) => {
            let (columns, _) = result(answer);
            (!columns.is_empty()).then(|| "expected nothing, got rows\n".to_owned())
        }
        (Expected::Rows { columns, rows, ordered }, None) => {
            let (got_columns, got_rows) = result(answer);
            let is_equal = if *ordered { in_order(rows, &got_rows) } else { in_any_order(rows, &got_rows) };
            let differ = *columns != got_columns || !is_equal;
            differ.then(|| format!("expected\n{}got\n{}", notation(columns, rows, *ordered), notation(&got_columns, &got_rows, *ordered)))
        }
    }
}

/// The columns and rows of a response of jobs.query.
fn result(answer: &Value) -> (Vec<Column>, Vec<Value>) {
    let columns: Vec<Column> = answer["schema"]["fields"].as_array().into_iter().flatten().map(Column::from_schema).collect();
    let row = |row: &Value| columns.iter().enumerate().map(|(index, column)| column.kind.to_notation(&row["f"][index]["v"])).collect();
    let rows = answer["rows"].as_array().into_iter().flatten().map(row).collect();
    (columns, rows)
}

fn in_order(expected: &[Value], got: &[Value]) -> bool {
    expected.len() == got.len() && expected.iter().zip(got).all(|(expected, got)| is_same(expected, got))
}

fn in_any_order(expected: &[Value], got: &[Value]) -> bool {
    let mut left: Vec<&Value> = got.iter().collect();
    let all = expected.iter().all(|row| left.iter().position(|other| is_same(row, other)).map(|index| left.swap_remove(index)).is_some());
    all && left.is_empty()
}

fn notation(columns: &[Column], rows: &[Value], ordered: bool) -> String {
    let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let mut text = format!("--> {}\n", columns.join(", "));
    for row in rows {
        let cells: Vec<String> = row.as_array().unwrap().iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "--{} {}", if ordered { '|' } else { '~' }, cells.join(", "));
    }
    text
}
