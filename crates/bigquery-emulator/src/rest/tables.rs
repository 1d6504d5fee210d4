//! The table routes.
//!
//! The schema is returned as the client sent it, with descriptions, default values and unknown members. Partitioning,
//! clustering and expiration are kept and returned, and have no effect, but no table is generated from a partitioned one. A view is a table with the member `view`. External
//! tables are not supported.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tables>.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use googlesql::Query;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::names::{DatasetRef, TableRef};
use crate::resource;
use crate::resource::Members;
use crate::rest::resource_update::ResourceUpdate;
use crate::rest::server::Server;
use crate::rest::wire::{Json, JsonBody, Paging, Params};
use crate::storage::catalog;
use crate::storage::catalog::Table;
use crate::storage::schema::Schema;

/// Members that the server computes. They are ignored in requests.
const COMPUTED_MEMBERS: [&str; 12] = [
    "creationTime",
    "etag",
    "id",
    "kind",
    "lastModifiedTime",
    "location",
    "numBytes",
    "numLongTermBytes",
    "numRows",
    "selfLink",
    "tableReference",
    "type",
];

/// Members of the entries of tables.list.
const LIST_MEMBERS: [&str; 10] =
    ["clustering", "creationTime", "expirationTime", "friendlyName", "id", "kind", "labels", "tableReference", "timePartitioning", "type"];

/// Members of unsupported kinds of tables.
const UNSUPPORTED_KINDS: [&str; 3] = ["cloneDefinition", "externalDataConfiguration", "materializedView"];

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    name: DatasetRef,
    Params(paging): Params<Paging>,
) -> Result<Json<Value>, ApiError> {
    let (after, limit) = (paging.after().to_owned(), paging.limit());
    let (mut found, total) = server
        .store
        .read(move |db| {
            let dataset = catalog::dataset(db, &name)?;
            let found = catalog::tables(db, &dataset, &after, limit + 1)?;
            Ok((found, catalog::count_tables(db, &dataset)?))
        })
        .await?;
    let next = paging.truncate(&mut found, |table| table.name.table.clone());
    let entries = found
        .iter()
        .map(|table| Ok(resource::keep_members(to_resource_without_schema(table)?, &LIST_MEMBERS)))
        .collect::<Result<Vec<_>, ApiError>>()?;
    let mut response = json!({
        "kind": "bigquery#tableList",
        "totalItems": total,
        "tables": entries,
    });
    if let Some(token) = next {
        response["nextPageToken"] = Value::from(token);
    }
    Ok(Json(response))
}

pub(crate) async fn get(State(server): State<Arc<Server>>, name: TableRef) -> Result<Response, ApiError> {
    #[cfg(feature = "faults")]
    if let Some(fault) = server.faults.tables_get_response(&name.to_string()) {
        return Ok(fault);
    }
    if let Some(result) = server.jobs.find_anonymous_table(&name) {
        return Ok(Json(result.to_resource()).into_response());
    }
    let find = move |db: &_| catalog::table(db, &name);
    let table = server.store.read(find).await?;
    Ok(Json(to_resource(&table)?).into_response())
}

pub(crate) async fn insert(
    State(server): State<Arc<Server>>,
    dataset: DatasetRef,
    JsonBody(mut sent): JsonBody<Members>,
) -> Result<Json<Members>, ApiError> {
    let id = sent
        .get("tableReference")
        .and_then(|reference| reference.get("tableId"))
        .and_then(Value::as_str)
        .ok_or_else(|| ApiError::Invalid("Table ID is missing.".to_owned()))?;
    let name = TableRef { dataset, table: id.to_owned() };
    name.check_id()?;
    if let Some(kind) = UNSUPPORTED_KINDS.iter().find(|kind| sent.contains_key(**kind)) {
        let message = format!("The BigQuery emulator does not support tables with {kind}; it supports plain tables and views.");
        return Err(ApiError::NotImplemented(message));
    }
    let mut schema = sent.remove("schema").filter(|schema| !schema.is_null());
    if let Some(view) = sent.get("view") {
        schema = view_schema(&server, &name, view).await?;
    }
    parse_schema(schema.as_ref())?;

    let now = server.now();
    let table = server
        .store
        .write(move |db| {
            if catalog::find_table(db, &name)?.is_some() {
                return Err(ApiError::Duplicate(format!("Table {name}")));
            }
            let members = resource::remove_members(sent, &COMPUTED_MEMBERS);
            catalog::create_table(db, &name, &members, schema.as_ref(), now)?;
            catalog::table(db, &name)
        })
        .await?;
    Ok(Json(to_resource(&table)?))
}

/// The schema of a view's query.
async fn view_schema(server: &Server, name: &TableRef, view: &Value) -> Result<Option<Value>, ApiError> {
    if view["useLegacySql"] == Value::Bool(true) {
        return Err(ApiError::NotImplemented("The BigQuery emulator does not support legacy SQL; set useLegacySql to false.".to_owned()));
    }
    let sql = view["query"].as_str().ok_or_else(|| ApiError::Invalid("Required parameter is missing: query".to_owned()))?;
    let query = Query { project: name.dataset.project.clone(), sql: sql.to_owned(), dry_run: true, ..Query::default() };
    Ok(server.queries.run(query).await?.schema)
}

/// `PATCH` and `PUT`. As in BigQuery, an update of the schema can add and relax columns. The schema of a view is that of
/// its query.
pub(crate) async fn update(State(server): State<Arc<Server>>, name: TableRef, update: ResourceUpdate) -> Result<Json<Members>, ApiError> {
    let now = server.now();
    let view_columns = match update.member("view") {
        Some(view) => view_schema(&server, &name, view).await?,
        None => None,
    };
    let table = server
        .store
        .write(move |db| {
            let table = catalog::table(db, &name)?;
            let old = table.schema()?;
            let mut members = update.apply(&etag(&table), table.members()?)?;
            // `bq update --set_label` sends a null schema, which does not change the schema.
            let sent = members.remove("schema").filter(|schema| !schema.is_null());
            let new = match view_columns {
                Some(_) if !table.is_view()? => return Err(ApiError::Invalid(format!("{name} is a TABLE and cannot become a VIEW."))),
                Some(schema) => Some(schema),
                None => {
                    let new = sent.or_else(|| old.clone());
                    parse_schema(old.as_ref())?.check_change(&parse_schema(new.as_ref())?, &name.to_string())?;
                    new
                }
            };
            let members = resource::remove_members(members, &COMPUTED_MEMBERS);
            catalog::change_table(db, &table, &members, new.as_ref(), now)?;
            catalog::table(db, &name)
        })
        .await?;
    Ok(Json(to_resource(&table)?))
}

pub(crate) async fn delete(State(server): State<Arc<Server>>, name: TableRef) -> Result<StatusCode, ApiError> {
    server
        .store
        .write(move |db| {
            let table = catalog::table(db, &name)?;
            catalog::delete_table(db, &table)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Parses a schema. A table without a schema has no columns.
fn parse_schema(schema: Option<&Value>) -> Result<Schema, ApiError> {
    Schema::parse(schema.unwrap_or(&Value::Null))
}

fn etag(table: &Table) -> String {
    format!("t{}v{}", table.id, table.version)
}

/// The `Table` resource.
fn to_resource(table: &Table) -> Result<Members, ApiError> {
    let mut members = to_resource_without_schema(table)?;
    if let Some(schema) = table.schema()? {
        members.insert("schema".to_owned(), schema);
    }
    Ok(members)
}

fn to_resource_without_schema(table: &Table) -> Result<Members, ApiError> {
    let dataset = &table.name.dataset;
    let computed = json!({
        "kind": "bigquery#table",
        "id": table.name.to_string(),
        "etag": etag(table),
        "type": if table.is_view()? { "VIEW" } else { "TABLE" },
        "tableReference": {
            "projectId": dataset.project,
            "datasetId": dataset.dataset,
            "tableId": table.name.table,
        },
        "location": "US",
        "creationTime": table.created.to_string(),
        "lastModifiedTime": table.modified.to_string(),
        "numRows": table.rows.to_string(),
        "numBytes": table.bytes.to_string(),
        "numLongTermBytes": "0",
    });
    Ok(resource::add_members(table.members()?, computed))
}
