//! `tabledata.insertAll`: from the wire to the writer and back.
//!
//! The request is parsed, its faults are looked up, and the rest is one [`Insertion`] on the
//! writer thread. The answer is sent after the commit: 200 means the rows survive a `kill -9`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::SemaphorePermit;

use super::Server;
use super::errors::ApiError;
use super::faults::{self, Fault};
use super::insertion::{self, InsertError, Insertion, Refuse, SentRow};
use super::names::{TableRef, TableSuffix};
use super::row::Unknown;
use super::wire::{Json, JsonBody};

const MOST_ROWS: usize = 50_000;

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
    let rows = |body: &JsonBody<InsertAllRequest>| body.0.rows.as_ref().map_or(0, Vec::len);
    server.faults.count(body.as_ref().map_or(0, rows));
    let answer = serve(&server, table, body).await;
    if answer.is_err() {
        server.faults.count_failed();
    }
    answer
}

async fn serve(server: &Server, table: TableRef, body: Result<JsonBody<InsertAllRequest>, ApiError>) -> Result<Response, ApiError> {
    let mut insertion = parse(table, body?.0)?;
    if insertion.template.is_some() && server.faults.hides(&insertion.table.to_string()) {
        return Err(ApiError::NotFound(format!("Table {}", insertion.table)));
    }
    insertion.refuse = server.faults.refused().map(Refuse::Containing);
    let fault = server.faults.take(&insertion.table.table);
    match &fault {
        Some(Fault::RowInvalid { index }) => insertion.refuse = Some(Refuse::Index(*index)),
        Some(Fault::RowsInvalid { containing, stops_others }) => {
            insertion.refuse = Some(Refuse::Containing(containing.clone()));
            insertion.skip_invalid_rows &= !stops_others;
        }
        Some(_) => server.faults.count_failed(),
        None => {}
    }
    match &fault {
        Some(Fault::Status(status)) => return Ok(status.response()),
        Some(Fault::ResetBefore) => return Ok(faults::reset()),
        Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
        // Closed it is a permit for everybody.
        Some(Fault::Hold(permits)) => permits.acquire().await.map_or_else(drop, SemaphorePermit::forget),
        _ => {}
    }

    let now = server.faults.now();
    let (insertion, insert_errors) =
        server.store.write(move |db| insertion::store(db, &insertion, now).map(|errors| (insertion, errors))).await?;
    server.faults.stored(&insertion.table, insertion.ids_without(&insert_errors));
    if !insert_errors.is_empty() {
        let stopped = insert_errors.iter().filter(|error| error.is_stopped()).count();
        server.faults.count_refused(insertion.rows.len(), insert_errors.len() - stopped, stopped);
        server.faults.count_failed();
    }

    match fault {
        Some(Fault::ResetAfter) => return Ok(faults::reset()),
        Some(Fault::StoredThen(status)) => return Ok(status.response()),
        Some(Fault::TruncatedBody) => return Ok(faults::truncated()),
        Some(Fault::SlowAnswer(delay)) => tokio::time::sleep(delay).await,
        _ => {}
    }
    Ok(Json(InsertAllResponse { kind: "bigquery#tableDataInsertAllResponse", insert_errors }).into_response())
}

fn parse(named: TableRef, request: InsertAllRequest) -> Result<Insertion, ApiError> {
    let sent = request.rows.unwrap_or_default();
    if sent.is_empty() {
        let message = "No rows present in the request.".to_owned();
        return Err(ApiError::Invalid(message));
    }
    if sent.len() > MOST_ROWS {
        return Err(ApiError::Invalid(format!("too many rows present in the request, limit: {MOST_ROWS} row count: {}.", sent.len())));
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
        refuse: None,
    })
}
