//! GoogleSQL statements by `jobs.query`, with the rows page by page.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::client::{Client, query_value};
use super::endpoints::Api;
use super::error::{ApiError, ApiResult, Lookup};

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
    /// The last page.
    page: Value,
    project: String,
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
    let answer = client.post(Api::BigQuery, &format!("projects/{project}/queries"), &body).await?;
    let Lookup::Found(mut page) = answer else { return Ok(Lookup::Absent) };
    let job = page["jobReference"].clone();
    while page["jobComplete"] != true {
        if started.elapsed() > STATEMENT_TIMEOUT {
            return Err(ApiError::Timeout { seconds: STATEMENT_TIMEOUT.as_secs() });
        }
        match results(client, project, &job, None).await? {
            Lookup::Found(next) => page = next,
            Lookup::Absent => return Ok(Lookup::Absent),
        }
    }
    // Every page needs it, and an answer to getQueryResults may leave it out.
    page["jobReference"] = job;
    Ok(Lookup::Found(Rows { page, project: project.to_owned() }))
}

async fn results(client: &Client, project: &str, job: &Value, page_token: Option<&str>) -> ApiResult<Lookup<Value>> {
    let id = job["jobId"].as_str().ok_or_else(|| unreadable("jobReference has no jobId"))?;
    let mut query = format!("timeoutMs={WAIT_MS}&maxResults={PAGE_ROWS}");
    for (name, value) in [("location", job["location"].as_str()), ("pageToken", page_token)] {
        if let Some(value) = value {
            query += &format!("&{name}={}", query_value(value));
        }
    }
    client.get(Api::BigQuery, &format!("projects/{project}/queries/{id}?{query}")).await
}

impl Rows {
    /// The number of rows on all pages.
    pub(crate) fn total(&self) -> ApiResult<u64> {
        number(&self.page["totalRows"], "totalRows")
    }

    /// The result's schema in the API's JSON.
    pub(crate) fn schema(&self) -> &Value {
        &self.page["schema"]
    }

    /// The number of rows that a DELETE has deleted.
    pub(crate) fn affected(&self) -> ApiResult<u64> {
        number(&self.page["numDmlAffectedRows"], "numDmlAffectedRows")
    }

    /// The numbers in the only row of a result.
    pub(crate) fn counts(&mut self) -> ApiResult<Vec<u64>> {
        let rows = self.take()?;
        let [row] = rows.as_slice() else { return Err(unreadable(format!("{} rows where one is expected", rows.len()))) };
        row.iter().map(|cell| number(cell, "a count")).collect()
    }

    /// The only number of a result.
    pub(crate) fn count(&mut self) -> ApiResult<u64> {
        match self.counts()?.as_slice() {
            [count] => Ok(*count),
            counts => Err(unreadable(format!("{} columns where one is expected", counts.len()))),
        }
    }

    /// The cells of this page's rows.
    pub(crate) fn take(&mut self) -> ApiResult<Vec<Vec<Value>>> {
        let rows = match self.page["rows"].take() {
            // BigQuery leaves out an empty page.
            Value::Null => return Ok(Vec::new()),
            Value::Array(rows) => rows,
            _ => return Err(unreadable("rows is not a list")),
        };
        let cell = |mut cell: Value| cell["v"].take();
        let cells = |mut row: Value| match row["f"].take() {
            Value::Array(cells) => Ok(cells.into_iter().map(cell).collect()),
            _ => Err(unreadable("a row without cells")),
        };
        rows.into_iter().map(cells).collect()
    }

    /// Gets the next page; `false` if this was the last.
    pub(crate) async fn next(&mut self, client: &Client) -> ApiResult<bool> {
        let Some(token) = self.page["pageToken"].as_str() else { return Ok(false) };
        let job = self.page["jobReference"].clone();
        self.page = results(client, &self.project, &job, Some(token)).await?.require("the query's result")?;
        self.page["jobReference"] = job;
        Ok(true)
    }
}

fn number(value: &Value, what: &str) -> ApiResult<u64> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| unreadable(format!("{what} is not a number")))
}

fn unreadable(problem: impl Into<String>) -> ApiError {
    ApiError::unreadable(Api::BigQuery, problem)
}
