//! Builds one page of a result for jobs.query, getQueryResults and tabledata.list.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/paging-results>.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::job::{Job, JobResult};
use crate::error::ApiError;

/// Limits of a page. BigQuery's limit is 10 MB.
const MAX_PAGE_ROWS: usize = 100_000;
const MAX_PAGE_BYTES: usize = 10 * 1024 * 1024;

/// The requested rows.
#[derive(Clone, Copy)]
pub(crate) struct PageRequest {
    pub start: usize,
    pub max_results: Option<u64>,
    pub int64_timestamp: bool,
}

/// Reads `formatOptions`. Returns whether timestamps are integers in microseconds; the default is seconds.
pub(crate) fn parse_timestamp_format(use_int64: bool, output_format: Option<&str>) -> Result<bool, ApiError> {
    match output_format.unwrap_or_default() {
        "" | "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED" => Ok(use_int64),
        "INT64" => Ok(true),
        "FLOAT64" => Ok(false),
        other => Err(ApiError::NotImplemented(format!(
            "The BigQuery emulator does not support the timestamp format {other}; use INT64 or FLOAT64."
        ))),
    }
}

/// Builds `schema`, `totalRows`, `rows` and `pageToken`. They are absent for a statement without rows.
pub(crate) async fn build_page(job: &Job, success: &JobResult, request: PageRequest) -> Result<Map<String, Value>, ApiError> {
    let mut members = Map::new();
    let Some(schema) = &success.schema else { return Ok(members) };
    members.insert("schema".to_owned(), schema.clone());
    members.insert("totalRows".to_owned(), Value::from(success.total_rows.to_string()));

    let limit = request.max_results.map_or(MAX_PAGE_ROWS, |max| usize::try_from(max).unwrap_or(MAX_PAGE_ROWS).min(MAX_PAGE_ROWS));
    if limit == 0 || request.start >= success.total_rows {
        return Ok(members);
    }
    let rows = success.rows.as_ref().map(Arc::clone).ok_or_else(|| {
        ApiError::NotFound(format!("Results of job {}: they were dropped because of the memory limit. Run the query again.", job.name))
    })?;
    // Encoding 10 MB of JSON would block the other requests of the thread.
    let encode = move || rows.page(request.start, limit, MAX_PAGE_BYTES, request.int64_timestamp);
    let rows = tokio::task::spawn_blocking(encode).await.map_err(|_| ApiError::Closing)?;
    let next = request.start + rows.len();
    // Like BigQuery, omit `rows` if there are none: the Python client takes a list for the complete result.
    if !rows.is_empty() {
        members.insert("rows".to_owned(), Value::Array(rows));
    }
    if next < success.total_rows {
        members.insert("pageToken".to_owned(), Value::from(next.to_string()));
    }
    Ok(members)
}
