//! `tabledata.insertAll`: from the wire to the writer and back.
//!
//! The request is parsed, and the rest is one [`Insertion`] on the writer thread. With the feature `faults`, `faulty` stands
//! around it. The answer is sent after the commit: 200 means the rows survive a `kill -9`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>.

#[cfg(feature = "faults")]
mod faulty;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::server::Server;
use super::wire::{Json, JsonBody};
use crate::error::ApiError;
use crate::names::{TableRef, TableSuffix};
use crate::streaming::insertion::{self, InsertError, Insertion, SentRow};
use crate::streaming::row::Unknown;

const MAX_ROWS: usize = 50_000;

/// The request. `kind` and `traceId` are ignored; every member may be null, `bq insert` sends
/// three of them so.
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

/// The answer; without `insertErrors` all rows are stored.
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
    return faulty::insert_all(&server, table, body).await;
    #[cfg(not(feature = "faults"))]
    store(&server, parse(table, body?.0)?).await.map(|(_, errors)| response(errors))
}

/// Stores the rows, and gives them back with the errors of those that were not stored.
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
        .map(|row| SentRow {
            // An empty insertId is none: de-duplication is off.
            insert_id: row.insert_id.filter(|id| !id.is_empty()),
            // No object is a row that mentions no column.
            json: row.json.unwrap_or_default(),
        })
        .collect();
    Ok(Insertion {
        table,
        template,
        rows,
        skip_invalid_rows: request.skip_invalid_rows.unwrap_or(false),
        unknown: match request.ignore_unknown_values {
            Some(true) => Unknown::Ignore,
            Some(false) | None => Unknown::Refuse,
        },
        #[cfg(feature = "faults")]
        refuse: None,
    })
}
