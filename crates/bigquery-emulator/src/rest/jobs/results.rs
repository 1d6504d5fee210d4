//! `jobs.getQueryResults`: waits for a job and responds with a page of its result.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/getQueryResults>.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::google_json::deserialize_bool;
use crate::jobs::job::{Completion, Job};
use crate::jobs::name::JobName;
use crate::jobs::page::{self, PageRequest};
use crate::rest::server::Server;
use crate::rest::wire::{Json, Params};

/// Time that a response waits for its job: the default and the maximum.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(200);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResultsParams {
    start_index: Option<usize>,
    max_results: Option<u64>,
    /// The index of the first row.
    page_token: Option<String>,
    timeout_ms: Option<u64>,
    #[serde(default, rename = "formatOptions.useInt64Timestamp", deserialize_with = "deserialize_bool")]
    int64_timestamp: bool,
    #[serde(rename = "formatOptions.timestampOutputFormat")]
    timestamp_format: Option<String>,
}

pub(crate) async fn results(
    State(server): State<Arc<Server>>,
    name: JobName,
    Params(params): Params<ResultsParams>,
) -> Result<Json<Value>, ApiError> {
    let token = params.page_token.as_deref().filter(|token| !token.is_empty());
    let token = token.map(|token| token.parse().map_err(|_| ApiError::Invalid(format!("Invalid page token: {token}")))).transpose()?;
    let request = PageRequest {
        start: token.or(params.start_index).unwrap_or(0),
        max_results: params.max_results,
        int64_timestamp: page::parse_timestamp_format(params.int64_timestamp, params.timestamp_format.as_deref())?,
    };
    let job = server.jobs.find(&name)?;
    let ended = job.wait(wait_time(params.timeout_ms)).await;
    build_response("bigquery#getQueryResultsResponse", &job, ended, request).await.map(Json)
}

pub(crate) fn wait_time(timeout_ms: Option<u64>) -> Duration {
    timeout_ms.map_or(DEFAULT_WAIT, Duration::from_millis).min(MAX_WAIT)
}

/// Builds the response: the requested page of the result, or the job's error.
pub(crate) async fn build_response(kind: &str, job: &Job, ended: Option<Completion>, request: PageRequest) -> Result<Value, ApiError> {
    let mut response = json!({"kind": kind, "jobReference": job.reference(), "jobComplete": ended.is_some()});
    let Some(ended) = ended else { return Ok(response) };
    let success = ended.outcome.map_err(ApiError::Job)?;
    response["cacheHit"] = json!(false);
    response["totalBytesProcessed"] = Value::from(success.bytes_processed.to_string());
    if let Some(rows) = success.affected_rows {
        response["numDmlAffectedRows"] = Value::from(rows.to_string());
    }
    let page: Map<String, Value> = page::build_page(job, &success, request).await?;
    for (name, value) in page {
        response[name] = value;
    }
    Ok(response)
}
