//! Rows of a result as answers carry them: which ones, in which form, and how to ask for the next.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::job::{Job, Success};
use crate::error::ApiError;

/// Rows of one page at most, and bytes after which a page ends: BigQuery's 10 MB.
const PAGE_ROWS: usize = 100_000;
const PAGE_BYTES: usize = 10 * 1024 * 1024;

/// Which rows.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub from: usize,
    pub most: Option<u64>,
    pub int64_timestamp: bool,
}

/// Whether timestamps are microseconds rather than seconds, by the two members of `formatOptions`.
pub(crate) fn int64_timestamp(use_int64: bool, output_format: Option<&str>) -> Result<bool, ApiError> {
    match output_format.unwrap_or_default() {
        "" | "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED" => Ok(use_int64),
        "INT64" => Ok(true),
        "FLOAT64" => Ok(false),
        other => Err(ApiError::NotImplemented(format!("The local BigQuery writes no timestamps as {other}, but as INT64 and FLOAT64."))),
    }
}

/// `schema`, `totalRows`, `rows` and `pageToken` of a result; nothing for a statement without rows.
pub(crate) async fn page(job: &Job, success: &Success, wanted: Wanted) -> Result<Map<String, Value>, ApiError> {
    let mut members = Map::new();
    let Some(schema) = &success.schema else { return Ok(members) };
    members.insert("schema".to_owned(), schema.clone());
    members.insert("totalRows".to_owned(), Value::from(success.total_rows.to_string()));

    let limit = wanted.most.map_or(PAGE_ROWS, |most| usize::try_from(most).unwrap_or(PAGE_ROWS).min(PAGE_ROWS));
    if limit == 0 || wanted.from >= success.total_rows {
        return Ok(members);
    }
    let rows = success.rows.as_ref().map(Arc::clone).ok_or_else(|| {
        ApiError::NotFound(format!("Results of job {}: they had to make room for those of younger jobs. Run the query again.", job.name))
    })?;
    // Ten megabytes of JSON are work that other requests should not wait for.
    let encode = move || rows.page(wanted.from, limit, PAGE_BYTES, wanted.int64_timestamp);
    let rows = tokio::task::spawn_blocking(encode).await.map_err(|_| ApiError::Closing)?;
    let next = wanted.from + rows.len();
    // BigQuery has no `rows` rather than an empty list: Python's client takes a list for all there is.
    if !rows.is_empty() {
        members.insert("rows".to_owned(), Value::Array(rows));
    }
    if next < success.total_rows {
        members.insert("pageToken".to_owned(), Value::from(next.to_string()));
    }
    Ok(members)
}
