//! GoogleSQL statements by `jobs.query`, with the rows page by page.
//!
//! An answer is read as a whole or not at all. The rows of all pages must be as many as the answer says, so that a page
//! without rows is never an empty result by mistake.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::client::{Client, query_value};
use super::endpoints::Api;
use super::error::{ApiError, ApiResult, Lookup};
use crate::decode::json::describe;

/// Maximum time for which one request waits for the job.
const WAIT_MS: u64 = 10_000;
/// Maximum rows of a page. BigQuery sends fewer if they are large.
const PAGE_ROWS: u64 = 1_000;
/// Maximum time of a statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3600);

/// A statement with named parameters.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: String,
    pub parameters: Vec<Value>,
}

/// The answer to a statement.
#[derive(Debug)]
pub struct Rows {
    project: String,
    job: JobReference,
    /// The last one.
    answer: Answer,
    /// Rows on the pages so far.
    seen: u64,
}

/// The members of an answer that are read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    job_complete: bool,
    /// An answer to getQueryResults may leave it out.
    job_reference: Option<JobReference>,
    /// Those of a job that has not failed, too.
    #[serde(default)]
    errors: Vec<Value>,
    #[serde(default)]
    schema: Value,
    #[serde(default, deserialize_with = "count")]
    total_rows: Option<u64>,
    /// BigQuery leaves out an empty page.
    #[serde(default)]
    rows: Vec<ResultRow>,
    page_token: Option<String>,
    #[serde(default, deserialize_with = "count")]
    num_dml_affected_rows: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobReference {
    job_id: String,
    location: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ResultRow {
    f: Vec<Cell>,
}

#[derive(Debug, Deserialize)]
struct Cell {
    v: Value,
}

/// A 64-bit number, which the API writes as a string.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

pub(crate) fn integer(name: &str, value: i64) -> Value {
    scalar(name, "INT64", &value.to_string())
}

pub(crate) fn timestamp(name: &str, value: Timestamp) -> Value {
    scalar(name, "TIMESTAMP", &crate::decode::coerce::rfc3339_micros(value))
}

/// A parameter of type `ARRAY<STRING>`.
pub(crate) fn strings(name: &str, values: &[String]) -> Value {
    let values: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
    json!({
        "name": name,
        "parameterType": {"type": "ARRAY", "arrayType": {"type": "STRING"}},
        "parameterValue": {"arrayValues": values},
    })
}

/// A parameter of the GoogleSQL type `kind`.
pub(crate) fn scalar(name: &str, kind: &str, value: &str) -> Value {
    json!({"name": name, "parameterType": {"type": kind}, "parameterValue": {"value": value}})
}

/// Runs a statement to its end. Absent is a table that the statement names.
pub(crate) async fn run(client: &Client, project: &str, Statement { sql, parameters }: &Statement) -> ApiResult<Lookup<Rows>> {
    let body = json!({
        "query": sql,
        "useLegacySql": false,
        "timeoutMs": WAIT_MS,
        "maxResults": PAGE_ROWS,
        "parameterMode": "NAMED",
        "queryParameters": parameters,
        // If only the answer is lost, the retry gets it and the statement does not run twice.
        "requestId": format!("{:032x}", fastrand::u128(..)),
    });
    let started = tokio::time::Instant::now();
    let found = client.post(Api::BigQuery, &format!("projects/{project}/queries"), &body).await?;
    let Lookup::Found(answer) = found else { return Ok(Lookup::Absent) };
    let mut answer = Answer::read(answer)?;
    let job = answer.job_reference.take().ok_or_else(|| unreadable("it has no jobReference"))?;
    while !answer.job_complete {
        if started.elapsed() > STATEMENT_TIMEOUT {
            return Err(ApiError::Timeout { seconds: STATEMENT_TIMEOUT.as_secs() });
        }
        answer = results(client, project, &job, None).await?;
    }
    Rows::new(project, job, answer).map(Lookup::Found)
}

async fn results(client: &Client, project: &str, job: &JobReference, page_token: Option<&str>) -> ApiResult<Answer> {
    let mut query = format!("timeoutMs={WAIT_MS}&maxResults={PAGE_ROWS}");
    for (name, value) in [("location", job.location.as_deref()), ("pageToken", page_token)] {
        if let Some(value) = value {
            query += &format!("&{name}={}", query_value(value));
        }
    }
    let path = format!("projects/{project}/queries/{}?{query}", job.job_id);
    // Absent is the job here, and not a table of the statement.
    Answer::read(client.get(Api::BigQuery, &path).await?.require("the query's job")?)
}

impl Answer {
    fn read(answer: Value) -> ApiResult<Self> {
        let answer: Self = serde_json::from_value(answer).map_err(|error| unreadable(describe(&error)))?;
        if answer.errors.is_empty() { Ok(answer) } else { Err(unreadable("it lists errors of the job")) }
    }

    fn next_page(&self) -> Option<&str> {
        self.page_token.as_deref().filter(|token| !token.is_empty())
    }
}

impl Rows {
    fn new(project: &str, job: JobReference, answer: Answer) -> ApiResult<Self> {
        let rows = Self { project: project.to_owned(), job, seen: answer.rows.len() as u64, answer };
        rows.check_number()?;
        Ok(rows)
    }

    /// Whether as many rows were on the pages so far as the result has.
    fn check_number(&self) -> ApiResult<()> {
        let Self { answer, seen, .. } = self;
        let total = answer.total_rows.unwrap_or(0);
        let is_last = answer.next_page().is_none();
        if *seen > total || is_last && *seen < total {
            return Err(unreadable(format!("it has {seen} of {total} rows")));
        }
        Ok(())
    }

    /// The number of rows on all pages.
    pub(crate) fn total(&self) -> ApiResult<u64> {
        self.answer.total_rows.ok_or_else(|| unreadable("it has no totalRows"))
    }

    /// The result's schema in the API's JSON.
    pub(crate) fn schema(&self) -> &Value {
        &self.answer.schema
    }

    /// The number of rows that a DELETE has deleted.
    pub(crate) fn affected(&self) -> ApiResult<u64> {
        self.answer.num_dml_affected_rows.ok_or_else(|| unreadable("it has no numDmlAffectedRows"))
    }

    /// The numbers in the only row of a result.
    pub(crate) fn counts(&mut self) -> ApiResult<Vec<u64>> {
        let rows = self.take()?;
        let [row] = rows.as_slice() else { return Err(unreadable(format!("it has {} rows where one is expected", rows.len()))) };
        row.iter().map(|cell| number(cell, "a count")).collect()
    }

    /// The only number of a result.
    pub(crate) fn count(&mut self) -> ApiResult<u64> {
        match self.counts()?.as_slice() {
            [count] => Ok(*count),
            counts => Err(unreadable(format!("it has {} columns where one is expected", counts.len()))),
        }
    }

    /// The cells of this page's rows.
    pub(crate) fn take(&mut self) -> ApiResult<Vec<Vec<Value>>> {
        self.total()?;
        let cells = |row: ResultRow| row.f.into_iter().map(|cell| cell.v).collect();
        Ok(std::mem::take(&mut self.answer.rows).into_iter().map(cells).collect())
    }

    /// Gets the next page; `false` if this was the last.
    pub(crate) async fn next(&mut self, client: &Client) -> ApiResult<bool> {
        let Some(token) = self.answer.next_page() else { return Ok(false) };
        let next = results(client, &self.project, &self.job, Some(token)).await?;
        if !next.job_complete {
            return Err(unreadable("a page of a complete job is not complete"));
        }
        self.seen += next.rows.len() as u64;
        self.answer = next;
        self.check_number()?;
        Ok(true)
    }
}

fn number(value: &Value, what: &str) -> ApiResult<u64> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| unreadable(format!("{what} is not a number")))
}

fn unreadable(problem: impl Into<String>) -> ApiError {
    ApiError::unreadable(Api::BigQuery, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(answer: Value) -> ApiResult<Rows> {
        let answer = Answer::read(answer)?;
        Rows::new("p", JobReference { job_id: "j".to_owned(), location: None }, answer)
    }

    /// The answer to a SELECT COUNT(*), with this member replaced.
    fn count_answer(member: &str, value: Value) -> Value {
        let mut answer = json!({
            "kind": "bigquery#queryResponse", "jobComplete": true, "jobReference": {"jobId": "j"},
            "schema": {"fields": [{"name": "f0_", "type": "INTEGER"}]}, "totalRows": "1", "rows": [{"f": [{"v": "7"}]}],
        });
        answer[member] = value;
        answer
    }

    #[test]
    fn a_count_is_read() {
        assert_eq!(rows(count_answer("cacheHit", json!(true))).unwrap().count().unwrap(), 7);
        assert_eq!(rows(count_answer("pageToken", json!(""))).unwrap().count().unwrap(), 7);
    }

    #[test]
    fn an_answer_without_a_readable_count_is_never_zero() {
        for answer in [
            json!({}),
            json!({"jobComplete": true}),
            json!({"kind": "bigquery#job", "status": {"state": "DONE"}}),
            json!({"jobComplete": true, "totalRows": "0"}),
            json!({"jobComplete": true, "totalRows": "1"}),
            count_answer("jobComplete", json!("true")),
            count_answer("jobComplete", json!(null)),
            count_answer("errors", json!([{"reason": "backendError"}])),
            count_answer("errors", json!("none")),
            count_answer("totalRows", json!(null)),
            count_answer("totalRows", json!(1)),
            count_answer("totalRows", json!("2")),
            count_answer("totalRows", json!("-1")),
            count_answer("rows", json!([])),
            count_answer("rows", json!(null)),
            count_answer("rows", json!({})),
            count_answer("rows", json!([{}])),
            count_answer("rows", json!([{"f": []}])),
            count_answer("rows", json!([{"f": [{}]}])),
            count_answer("rows", json!([{"f": [{"v": null}]}])),
            count_answer("rows", json!([{"f": [{"v": 7}]}])),
            count_answer("rows", json!([{"f": [{"v": "7.0"}]}])),
            count_answer("rows", json!([{"f": [{"v": "-7"}]}])),
            count_answer("rows", json!([{"f": [{"v": "7"}, {"v": "8"}]}])),
            count_answer("rows", json!([{"f": [{"v": "7"}]}, {"f": [{"v": "8"}]}])),
        ] {
            let count = rows(answer.clone()).and_then(|mut rows| rows.count());
            assert!(matches!(count, Err(ApiError::Unreadable { .. })), "{answer}: {count:?}");
        }
    }

    #[test]
    fn a_delete_without_a_number_is_an_error() {
        let deleted = |answer: Value| rows(answer).and_then(|rows| rows.affected());
        assert_eq!(deleted(json!({"jobComplete": true, "numDmlAffectedRows": "3"})).unwrap(), 3);
        for answer in [json!({"jobComplete": true}), json!({"jobComplete": true, "numDmlAffectedRows": 3})] {
            assert!(matches!(deleted(answer.clone()), Err(ApiError::Unreadable { .. })), "{answer}");
        }
    }

    #[test]
    fn an_empty_result_says_so() {
        assert!(rows(json!({"jobComplete": true, "totalRows": "0", "schema": {}})).unwrap().take().unwrap().is_empty());
    }
}
