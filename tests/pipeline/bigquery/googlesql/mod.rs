//! GoogleSQL through jobs.query: the cases of tests/googlesql/*.sql, whose answers are BigQuery's
//! documented ones.
//!
//! `PIXEL_TEST_GOOGLESQL=FILE` runs one file only, or those of another folder.

mod case;
pub(crate) mod tables;
mod types;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use case::{Case, Expected};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use types::{Column, same};

use crate::support::bigquery::{DATASET, TestBigQuery};

#[tokio::test]
async fn every_query_of_the_corpus_answers_as_documented() {
    let place = std::env::var_os("PIXEL_TEST_GOOGLESQL").map_or_else(|| root().join("tests/googlesql"), PathBuf::from);
    let mut files = JoinSet::new();
    for path in sql_files(&place) {
        files.spawn(async move {
            // Each file has tables of its own, so that its cases may change them.
            let bigquery = tables::loaded(root()).await;
            let cases = case::read(&path, root());
            let mut failures = Vec::new();
            for case in &cases {
                failures.extend(failure(&bigquery, case).await);
            }
            (path, cases.len(), failures)
        });
    }
    let mut files = files.join_all().await;
    files.sort();
    let count: usize = files.iter().map(|(_, count, _)| count).sum();
    let failures: Vec<String> = files.into_iter().flat_map(|(_, _, failures)| failures).collect();
    assert!(count > 0, "there are no cases in {}", place.display());
    assert!(failures.is_empty(), "{} of {count} cases fail:\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_sample_query_has_a_case() {
    let cases = std::fs::read_to_string(root().join("tests/googlesql/samples.sql")).unwrap();
    let tested: BTreeSet<PathBuf> =
        cases.lines().filter_map(|line| line.strip_prefix("--<")).map(|file| root().join(file.trim())).collect();
    let samples: BTreeSet<PathBuf> = sql_files(&root().join("schema/queries")).into_iter().collect();
    assert!(!samples.is_empty());
    assert_eq!(samples, tested);
}

/// No case is that large.
const TIMEOUT: Duration = Duration::from_secs(10);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The `.sql` files of a folder, or the one file that it is.
fn sql_files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let entries = std::fs::read_dir(place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension() == Some(OsStr::new("sql"))).collect()
}

/// Runs a case. What is wrong with the answer, in the notation of the cases.
async fn failure(bigquery: &TestBigQuery, case: &Case) -> Option<String> {
    let mut answer = (0, Value::Null);
    for (index, statement) in case.statements.iter().enumerate() {
        answer = query(bigquery, statement, &case.parameters).await;
        if answer.0 != 200 && index + 1 < case.statements.len() {
            break;
        }
    }
    let wrong = wrong(&case.expected, answer.0, &answer.1)?;
    Some(format!("--- {} ({})\n{}\n{wrong}", case.title, case.place, case.statements.join(";\n")))
}

async fn query(bigquery: &TestBigQuery, sql: &str, parameters: &[Value]) -> (u16, Value) {
    let mut request = json!({
        "query": sql, "useLegacySql": false, "defaultDataset": {"datasetId": DATASET},
        "formatOptions": {"useInt64Timestamp": true}, "timeoutMs": TIMEOUT.as_millis() as u64,
    });
    if !parameters.is_empty() {
        let named = parameters.iter().all(|parameter| parameter.get("name").is_some());
        request["parameterMode"] = if named { "NAMED" } else { "POSITIONAL" }.into();
        request["queryParameters"] = parameters.into();
    }
    bigquery.post("/queries", &request).await
}

/// The difference between what must come and what came.
fn wrong(expected: &Expected, status: u16, answer: &Value) -> Option<String> {
    if !(200..500).contains(&status) {
        return Some(format!("got HTTP {status}: {answer}\n"));
    }
    if status == 200 && answer["jobComplete"] != true {
        return Some(format!("got no answer within {} s\n", TIMEOUT.as_secs()));
    }
    let refusal = (status != 200).then(|| {
        let error = &answer["error"]["errors"][0];
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        (text("reason"), text("message"))
    });
    match (expected, refusal) {
        (Expected::Refused { reason, text }, Some((got, message)))
            if [&got, "any"].contains(&reason.as_str()) && message.contains(text) =>
        {
            None
        }
        (Expected::Refused { reason, text }, Some((got, message))) => {
            Some(format!("expected\n--! {reason}: {text}\ngot\n--! {got}: {message}\n"))
        }
        (Expected::Refused { reason, text }, None) => {
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
            let alike = if *ordered { in_order(rows, &got_rows) } else { in_any_order(rows, &got_rows) };
            let differ = *columns != got_columns || !alike;
            differ.then(|| format!("expected\n{}got\n{}", notation(columns, rows, *ordered), notation(&got_columns, &got_rows, *ordered)))
        }
    }
}

/// Columns and rows of an answer of jobs.query.
fn result(answer: &Value) -> (Vec<Column>, Vec<Value>) {
    let columns: Vec<Column> = answer["schema"]["fields"].as_array().into_iter().flatten().map(Column::of_schema).collect();
    let row = |row: &Value| columns.iter().enumerate().map(|(index, column)| column.kind.plain(&row["f"][index]["v"])).collect();
    let rows = answer["rows"].as_array().into_iter().flatten().map(row).collect();
    (columns, rows)
}

fn in_order(expected: &[Value], got: &[Value]) -> bool {
    expected.len() == got.len() && expected.iter().zip(got).all(|(expected, got)| same(expected, got))
}

fn in_any_order(expected: &[Value], got: &[Value]) -> bool {
    let mut left: Vec<&Value> = got.iter().collect();
    let all = expected.iter().all(|row| left.iter().position(|other| same(row, other)).map(|index| left.swap_remove(index)).is_some());
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
