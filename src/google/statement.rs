//! GoogleSQL of a command's own, by `jobs.query`, with its rows page by page.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::google::{Api, Google, Unseen};

/// How long an answer may wait for the job, before it is asked for again.
const WAIT_MS: u64 = 10_000;
/// Rows of a page. BigQuery sends fewer if they are large.
const PAGE: u64 = 1_000;
/// A statement that takes longer is taken for lost.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A statement with named parameters.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Value>,
}

/// The answer to a statement.
#[derive(Debug)]
pub(crate) struct Rows {
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

/// A parameter of a type that GoogleSQL calls that.
pub(crate) fn scalar(name: &str, kind: &str, value: &str) -> Value {
    json!({"name": name, "parameterType": {"type": kind}, "parameterValue": {"value": value}})
}

/// Runs a statement to its end.
pub(crate) async fn run(google: &Google, project: &str, Statement { sql, parameters }: &Statement) -> Result<Rows, Unseen> {
    let body = json!({
        "query": sql,
        "useLegacySql": false,
        "timeoutMs": WAIT_MS,
        "maxResults": PAGE,
        "parameterMode": "NAMED",
        "queryParameters": parameters,
        // If only the answer is lost, the second attempt gets it, and deletes nothing anew.
        "requestId": format!("{:032x}", fastrand::u128(..)),
    });
    let started = tokio::time::Instant::now();
    let mut page = google.post(Api::BigQuery, &format!("projects/{project}/queries"), &body).await.into_result()?;
    while page["jobComplete"] != true {
        if started.elapsed() > PATIENCE {
            return Err(Unseen::Failed(format!("BigQuery is not done after {} s", PATIENCE.as_secs())));
        }
        page = results(google, project, &page, None).await?;
    }
    Ok(Rows { page, project: project.to_owned() })
}

async fn results(google: &Google, project: &str, of: &Value, page_token: Option<&str>) -> Result<Value, Unseen> {
    let job = &of["jobReference"];
    let mut query = format!("timeoutMs={WAIT_MS}&maxResults={PAGE}");
    for (name, value) in [("location", job["location"].as_str()), ("pageToken", page_token)] {
        if let Some(value) = value {
            query.extend(["&", name, "="].into_iter().chain(url::form_urlencoded::byte_serialize(value.as_bytes())));
        }
    }
    let path = format!("projects/{project}/queries/{}?{query}", job["jobId"].as_str().unwrap_or_default());
    google.get(Api::BigQuery, &path).await.into_result()
}

impl Rows {
    /// How many rows there are on all pages.
    pub(crate) fn total(&self) -> u64 {
        number(&self.page["totalRows"])
    }

    /// How many rows a DELETE has deleted.
    pub(crate) fn affected(&self) -> u64 {
        number(&self.page["numDmlAffectedRows"])
    }

    /// The one number of a result.
    pub(crate) fn count(&self) -> u64 {
        number(&self.page["rows"][0]["f"][0]["v"])
    }

    /// The cells of this page's rows.
    pub(crate) fn take(&mut self) -> Vec<Vec<Value>> {
        let Value::Array(rows) = self.page["rows"].take() else { return Vec::new() };
        let cell = |mut cell: Value| cell["v"].take();
        let cells = |mut row: Value| match row["f"].take() {
            Value::Array(cells) => cells.into_iter().map(cell).collect(),
            _ => Vec::new(),
        };
        rows.into_iter().map(cells).collect()
    }

    /// Turns to the next page; `false` if this was the last.
    pub(crate) async fn next(&mut self, google: &Google) -> Result<bool, Unseen> {
        let Some(token) = self.page["pageToken"].as_str() else { return Ok(false) };
        let job = self.page["jobReference"].clone();
        self.page = results(google, &self.project, &self.page, Some(token)).await?;
        // So that the page after it can be asked for, whatever this one says.
        self.page["jobReference"] = job;
        Ok(true)
    }
}

fn number(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}
