//! insertAll with injected faults.

use axum::response::Response;
use tokio::sync::SemaphorePermit;

use super::{InsertAllRequest, parse, response, store};
use crate::error::ApiError;
use crate::faults::{self, Fault};
use crate::names::TableRef;
use crate::rest::server::Server;
use crate::rest::wire::JsonBody;
use crate::streaming::insertion::RejectedRows;

pub(crate) async fn insert_all(
    server: &Server,
    table: TableRef,
    body: Result<JsonBody<InsertAllRequest>, ApiError>,
) -> Result<Response, ApiError> {
    let rows = |body: &JsonBody<InsertAllRequest>| body.0.rows.as_ref().map_or(0, Vec::len);
    server.faults.count(body.as_ref().map_or(0, rows));
    let response = serve(server, table, body).await;
    if response.is_err() {
        server.faults.count_failed();
    }
    response
}

async fn serve(server: &Server, table: TableRef, body: Result<JsonBody<InsertAllRequest>, ApiError>) -> Result<Response, ApiError> {
    let mut insertion = parse(table, body?.0)?;
    if insertion.template.is_some() && server.faults.is_hidden(&insertion.table.to_string()) {
        return Err(ApiError::NotFound(format!("Table {}", insertion.table)));
    }
    insertion.rejected = server.faults.rejected_text().map(RejectedRows::Containing);
    let fault = server.faults.take_fault(&insertion.table.table);
    match &fault {
        Some(Fault::RowInvalid { index }) => insertion.rejected = Some(RejectedRows::Index(*index)),
        Some(Fault::RowsInvalid { containing, stops_others }) => {
            insertion.rejected = Some(RejectedRows::Containing(containing.clone()));
            insertion.skip_invalid_rows &= !stops_others;
        }
        Some(_) => server.faults.count_failed(),
        None => {}
    }
    match &fault {
        Some(Fault::Status(status)) => return Ok(status.response()),
        Some(Fault::ResetBefore) => return Ok(faults::reset_response()),
        Some(Fault::Delay(delay)) => tokio::time::sleep(*delay).await,
        // A closed semaphore lets all requests pass.
        Some(Fault::Hold(permits)) => permits.acquire().await.map_or_else(drop, SemaphorePermit::forget),
        _ => {}
    }

    let (insertion, insert_errors) = store(server, insertion).await?;
    server.faults.add_stored(&insertion.table, insertion.accepted_insert_ids(&insert_errors));
    if !insert_errors.is_empty() {
        let stopped = insert_errors.iter().filter(|error| error.is_stopped()).count();
        server.faults.count_rejected(insertion.rows.len(), insert_errors.len() - stopped, stopped);
        server.faults.count_failed();
    }

    match fault {
        Some(Fault::ResetAfter) => return Ok(faults::reset_response()),
        Some(Fault::StoredThen(status)) => return Ok(status.response()),
        Some(Fault::TruncatedBody) => return Ok(faults::truncated_response()),
        Some(Fault::SlowAnswer(delay)) => tokio::time::sleep(delay).await,
        _ => {}
    }
    Ok(response(insert_errors))
}
