//! `tabledata.list`: encodes stored rows for BigQuery's REST API.
//!
//! A row is `{"f": [{"v": …}, …]}` in the order of the schema. A scalar is text, NULL is null, a REPEATED field is an array
//! of `{"v": …}`, and a RECORD is `{"f": […]}`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/list>.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::google_json::deserialize_bool;
use crate::names::TableRef;
use crate::rest::server::Server;
use crate::rest::wire::{Json, Params};
use crate::storage::catalog;
use crate::storage::rows;
use crate::storage::scalar;
use crate::storage::schema::{FieldType, Mode, Schema, SchemaField};

/// Limits of a page: rows, and bytes of stored rows.
const MAX_PAGE_ROWS: u32 = 10_000;
const MAX_PAGE_BYTES: usize = 10 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TableDataParams {
    start_index: Option<u64>,
    max_results: Option<u32>,
    /// The index of the first row.
    page_token: Option<u64>,
    /// Comma-separated columns, or paths to members of RECORDs.
    selected_fields: Option<String>,
    #[serde(default, rename = "formatOptions.useInt64Timestamp", deserialize_with = "deserialize_bool")]
    int64_timestamp: bool,
}

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    name: TableRef,
    Params(params): Params<TableDataParams>,
) -> Result<Json<Value>, ApiError> {
    let from = params.page_token.or(params.start_index).unwrap_or(0);
    if let Some(result) = server.jobs.find_anonymous_table(&name) {
        return result.page(from, params.max_results, params.int64_timestamp).await.map(Json);
    }
    let from = i64::try_from(from).unwrap_or(i64::MAX);
    let limit = params.max_results.unwrap_or(MAX_PAGE_ROWS).min(MAX_PAGE_ROWS) as usize;
    let (table, page) = server
        .store
        .read(move |db| {
            let table = catalog::table(db, &name)?;
            if table.is_view()? {
                return Err(ApiError::Invalid("Cannot list a table of type VIEW.".to_owned()));
            }
            let page = rows::page(db, &table, from, limit, MAX_PAGE_BYTES)?;
            Ok((table, page))
        })
        .await?;

    let mut schema = Schema::from_table(&table)?;
    if let Some(paths) = params.selected_fields.as_deref().filter(|s| !s.is_empty()) {
        let paths: Vec<&str> = paths.split(',').map(str::trim).collect();
        schema.fields = select_fields(schema.fields, &paths)?;
    }
    let encoded = page
        .iter()
        .map(|stored| {
            let members: Map<String, Value> = serde_json::from_str(stored)?;
            Ok(encode_record(&schema.fields, &members, params.int64_timestamp))
        })
        .collect::<Result<Vec<_>, ApiError>>()?;

    let mut response = json!({
        "kind": "bigquery#tableDataList",
        "etag": format!("t{}r{}", table.id, table.rows),
        "totalRows": table.rows.to_string(),
    });
    // Like BigQuery, omit `rows` if there are none. Clients distinguish that from an empty list.
    if !encoded.is_empty() {
        response["rows"] = Value::Array(encoded);
    }
    let next = from.saturating_add(page.len() as i64);
    if limit > 0 && next < table.rows {
        response["pageToken"] = Value::from(next.to_string());
    }
    Ok(Json(response))
}

/// Selects the fields of `paths`, in the order of the schema.
fn select_fields(fields: Vec<SchemaField>, paths: &[&str]) -> Result<Vec<SchemaField>, ApiError> {
    let first = |path: &&str| path.split_once('.').map_or(*path, |(first, _)| first).to_owned();
    if let Some(path) = paths.iter().find(|path| !fields.iter().any(|field| field.is_named(&first(path)))) {
        return Err(ApiError::Invalid(format!("Selected field {path} is not in the schema.")));
    }
    let mut selected = Vec::new();
    for mut field in fields {
        let named: Vec<&str> = paths.iter().filter(|path| field.is_named(&first(path))).copied().collect();
        if named.is_empty() {
            continue;
        }
        // `a.b` selects a member of the RECORD a, and `a` selects the whole RECORD.
        let within: Option<Vec<&str>> = named.iter().map(|path| path.split_once('.').map(|(_, rest)| rest)).collect();
        if let (FieldType::Record(members), Some(within)) = (&mut field.kind, within) {
            *members = select_fields(std::mem::take(members), &within)?;
        }
        selected.push(field);
    }
    Ok(selected)
}

fn encode_record(fields: &[SchemaField], members: &Map<String, Value>, int64_timestamp: bool) -> Value {
    let cells: Vec<Value> =
        fields.iter().map(|field| json!({"v": encode_value(field, members.get(&field.name), int64_timestamp)})).collect();
    json!({"f": cells})
}

fn encode_value(field: &SchemaField, stored: Option<&Value>, int64_timestamp: bool) -> Value {
    match (field.mode, stored) {
        (Mode::Repeated, Some(Value::Array(elements))) => {
            elements.iter().map(|element| json!({"v": encode_single(&field.kind, element, int64_timestamp)})).collect()
        }
        (Mode::Repeated, _) => json!([]),
        (_, Some(stored)) => encode_single(&field.kind, stored, int64_timestamp),
        (_, None) => Value::Null,
    }
}

fn encode_single(kind: &FieldType, stored: &Value, int64_timestamp: bool) -> Value {
    match (kind, stored) {
        (FieldType::Record(fields), Value::Object(members)) => encode_record(fields, members, int64_timestamp),
        (FieldType::Record(_), _) => Value::Null,
        (FieldType::Scalar(kind), stored) => scalar::encode_cell(*kind, stored, int64_timestamp),
    }
}
