//! `jobs.getQueryResults`: waits for a job, and gives a page of its result.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults>.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::google_json::flag;
use crate::jobs::job::{Ended, Job};
use crate::jobs::name::JobName;
use crate::jobs::page::{self, Wanted};
use crate::rest::server::Server;
use crate::rest::wire::{Json, Params};

/// How long an answer waits for its job where nothing else is said, and at most.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(200);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultsParams {
    start_index: Option<usize>,
    max_results: Option<u64>,
    /// The index of the row to begin with.
    page_token: Option<String>,
    timeout_ms: Option<u64>,
    #[serde(default, rename = "formatOptions.useInt64Timestamp", deserialize_with = "flag")]
    int64_timestamp: bool,
    #[serde(rename = "formatOptions.timestampOutputFormat")]
    timestamp_format: Option<String>,
}

pub(crate) async fn results(
    State(server): State<Arc<Server>>,
    name: JobName,
    Params(asked): Params<ResultsParams>,
) -> Result<Json<Value>, ApiError> {
    let token = asked.page_token.as_deref().filter(|token| !token.is_empty());
    let token = token.map(|token| token.parse().map_err(|_| ApiError::Invalid(format!("Invalid page token: {token}")))).transpose()?;
    let wanted = Wanted {
        from: token.or(asked.start_index).unwrap_or_default(),
        most: asked.max_results,
        int64_timestamp: page::int64_timestamp(asked.int64_timestamp, asked.timestamp_format.as_deref())?,
    };
    let job = server.jobs.find(&name)?;
    let ended = job.wait(wait_time(asked.timeout_ms)).await;
    answer("bigquery#getQueryResultsResponse", &job, ended, wanted).await.map(Json)
}

pub(crate) fn wait_time(timeout_ms: Option<u64>) -> Duration {
    timeout_ms.map_or(DEFAULT_WAIT, Duration::from_millis).min(MAX_WAIT)
}

/// What is there to say of a job's result: an error if that is its end.
pub(crate) async fn answer(kind: &str, job: &Job, ended: Option<Ended>, wanted: Wanted) -> Result<Value, ApiError> {
    let mut answer = json!({"kind": kind, "jobReference": job.reference(), "jobComplete": ended.is_some()});
    let Some(ended) = ended else { return Ok(answer) };
    let success = ended.outcome.map_err(ApiError::Job)?;
    answer["cacheHit"] = json!(false);
    answer["totalBytesProcessed"] = Value::from(success.bytes_processed.to_string());
    if let Some(rows) = success.affected_rows {
        answer["numDmlAffectedRows"] = Value::from(rows.to_string());
    }
    let page: Map<String, Value> = page::page(job, &success, wanted).await?;
    for (name, value) in page {
        answer[name] = value;
    }
    Ok(answer)
}
