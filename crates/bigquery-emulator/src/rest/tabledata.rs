//! `tabledata.list`: stored rows in BigQuery's encoding.
//!
//! A row is `{"f": [{"v": …}, …]}` in the order of the schema; every scalar is text, NULL is
//! null, a REPEATED field is an array of `{"v": …}`, a RECORD again `{"f": […]}`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list>.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::google_json::flag;
use crate::names::TableRef;
use crate::rest::server::Server;
use crate::rest::wire::{Json, Params};
use crate::storage::catalog;
use crate::storage::rows;
use crate::storage::scalar;
use crate::storage::schema::{Field, Kind, Mode, Schema};

/// Rows of one page at most, and bytes of stored rows after which a page ends.
const PAGE_ROWS: u32 = 10_000;
const PAGE_BYTES: usize = 10 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listing {
    start_index: Option<u64>,
    max_results: Option<u32>,
    /// The index of the row to begin with.
    page_token: Option<u64>,
    /// Columns, or paths to members of RECORDs, with commas between.
    selected_fields: Option<String>,
    #[serde(default, rename = "formatOptions.useInt64Timestamp", deserialize_with = "flag")]
    int64_timestamp: bool,
}

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    name: TableRef,
    Params(listing): Params<Listing>,
) -> Result<Json<Value>, ApiError> {
    let from = listing.page_token.or(listing.start_index).unwrap_or(0);
    if let Some(result) = server.jobs.anonymous(&name) {
        return result.page(from, listing.max_results, listing.int64_timestamp).await.map(Json);
    }
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let limit = listing.max_results.unwrap_or(PAGE_ROWS).min(PAGE_ROWS) as usize;
    let (table, page) = server
        .store
        .read(move |db| {
            let table = catalog::table(db, &name)?;
            if table.is_view()? {
                return Err(ApiError::Invalid("Cannot list a table of type VIEW.".to_owned()));
            }
            let page = rows::page(db, &table, from, limit, PAGE_BYTES)?;
            Ok((table, page))
        })
        .await?;

    let mut schema = Schema::of(&table)?;
    if let Some(paths) = listing.selected_fields.as_deref().filter(|s| !s.is_empty()) {
        let paths: Vec<&str> = paths.split(',').map(str::trim).collect();
        schema.fields = select(schema.fields, &paths)?;
    }
    let encoded = page
        .iter()
        .map(|stored| {
            let members: Map<String, Value> = serde_json::from_str(stored)?;
            Ok(record(&schema.fields, &members, listing.int64_timestamp))
        })
        .collect::<Result<Vec<_>, ApiError>>()?;

    let mut answer = json!({
        "kind": "bigquery#tableDataList",
        "etag": format!("t{}r{}", table.id, table.rows),
        "totalRows": table.rows.to_string(),
    });
    // BigQuery has no `rows` rather than an empty list, and clients know the difference.
    if !encoded.is_empty() {
        answer["rows"] = Value::Array(encoded);
    }
    let next = from.saturating_add(page.len() as i64);
    if limit > 0 && next < table.rows {
        answer["pageToken"] = Value::from(next.to_string());
    }
    Ok(Json(answer))
}

/// The fields that `paths` name, in the order of the schema.
fn select(fields: Vec<Field>, paths: &[&str]) -> Result<Vec<Field>, ApiError> {
    let first = |path: &&str| path.split('.').next().unwrap_or_default().to_owned();
    if let Some(path) = paths.iter().find(|path| !fields.iter().any(|field| field.is_named(&first(path)))) {
        return Err(ApiError::Invalid(format!("Selected field {path} is not in the schema.")));
    }
    let mut selected = Vec::new();
    for mut field in fields {
        let named: Vec<&str> = paths.iter().filter(|path| field.is_named(&first(path))).copied().collect();
        if named.is_empty() {
            continue;
        }
        // `a.b` selects within the RECORD a, a bare `a` all of it.
        let within: Option<Vec<&str>> = named.iter().map(|path| path.split_once('.').map(|(_, rest)| rest)).collect();
        if let (Kind::Record(members), Some(within)) = (&mut field.kind, within) {
            *members = select(std::mem::take(members), &within)?;
        }
        selected.push(field);
    }
    Ok(selected)
}

fn record(fields: &[Field], members: &Map<String, Value>, int64_timestamp: bool) -> Value {
    let cells: Vec<Value> = fields.iter().map(|field| json!({"v": value(field, members.get(&field.name), int64_timestamp)})).collect();
    json!({"f": cells})
}

fn value(field: &Field, stored: Option<&Value>, int64_timestamp: bool) -> Value {
    match (field.mode, stored) {
        (Mode::Repeated, Some(Value::Array(elements))) => {
            elements.iter().map(|element| json!({"v": single(&field.kind, element, int64_timestamp)})).collect()
        }
        (Mode::Repeated, _) => json!([]),
        (_, Some(stored)) => single(&field.kind, stored, int64_timestamp),
        (_, None) => Value::Null,
    }
}

fn single(kind: &Kind, stored: &Value, int64_timestamp: bool) -> Value {
    match (kind, stored) {
        (Kind::Record(fields), Value::Object(members)) => record(fields, members, int64_timestamp),
        (Kind::Record(_), _) => Value::Null,
        (Kind::Scalar(kind), stored) => scalar::cell(*kind, stored, int64_timestamp),
    }
}
