//! `tabledata.insertAll`: parses the request, runs it on the writer thread and responds.
//!
//! `streaming::insertion` runs the [`Insertion`]. With the feature `faults`, `with_faults` injects faults. The response is
//! sent after the commit: with status 200, the rows survive a `kill -9`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>.

#[cfg(feature = "faults")]
mod with_faults;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::server::Server;
use super::wire::{Json, JsonBody};
use crate::error::ApiError;
use crate::names::{TableRef, TableSuffix};
use crate::streaming::insertion::{self, InsertError, InsertRow, Insertion};
use crate::streaming::row::UnknownFields;

const MAX_ROWS: usize = 50_000;

/// The request. `kind` and `traceId` are ignored. Every member may be null; `bq insert` sends null for three of them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InsertAllRequest {
    skip_invalid_rows: Option<bool>,
    ignore_unknown_values: Option<bool>,
    template_suffix: Option<String>,
    rows: Option<Vec<RequestRow>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestRow {
    insert_id: Option<String>,
    json: Option<Map<String, Value>>,
}

/// The response. Without `insertErrors`, all rows are stored.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InsertAllResponse {
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    insert_errors: Vec<InsertError>,
}

pub(crate) async fn insert_all(
    State(server): State<Arc<Server>>,
    table: TableRef,
    body: Result<JsonBody<InsertAllRequest>, ApiError>,
) -> Result<Response, ApiError> {
    #[cfg(feature = "faults")]
    return with_faults::insert_all(&server, table, body).await;
    #[cfg(not(feature = "faults"))]
    store(&server, parse(table, body?.0)?).await.map(|(_, errors)| response(errors))
}

/// Stores the rows. Returns the insertion and the errors of the rows that were not stored.
async fn store(server: &Server, insertion: Insertion) -> Result<(Insertion, Vec<InsertError>), ApiError> {
    let now = server.now();
    server.store.write(move |db| insertion::store(db, &insertion, now).map(|errors| (insertion, errors))).await
}

fn response(insert_errors: Vec<InsertError>) -> Response {
    Json(InsertAllResponse { kind: "bigquery#tableDataInsertAllResponse", insert_errors }).into_response()
}

fn parse(named: TableRef, request: InsertAllRequest) -> Result<Insertion, ApiError> {
    let sent = request.rows.unwrap_or_default();
    if sent.is_empty() {
        let message = "No rows present in the request.".to_owned();
        return Err(ApiError::Invalid(message));
    }
    if sent.len() > MAX_ROWS {
        return Err(ApiError::Invalid(format!("too many rows present in the request, limit: {MAX_ROWS} row count: {}.", sent.len())));
    }
    let (table, template) = match request.template_suffix.filter(|text| !text.is_empty()) {
        Some(text) => (named.with_suffix(&TableSuffix::parse(text)?)?, Some(named)),
        None => (named, None),
    };
    let rows = sent
        .into_iter()
        .map(|row| InsertRow {
            // An empty insertId disables deduplication.
            insert_id: row.insert_id.filter(|id| !id.is_empty()),
            // A row without `json` is a row without columns.
            json: row.json.unwrap_or_default(),
        })
        .collect();
    Ok(Insertion {
        table,
        template,
        rows,
        skip_invalid_rows: request.skip_invalid_rows.unwrap_or(false),
        unknown: match request.ignore_unknown_values {
            Some(true) => UnknownFields::Ignore,
            Some(false) | None => UnknownFields::Reject,
        },
        #[cfg(feature = "faults")]
        rejected: None,
    })
}
