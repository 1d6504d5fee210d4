//! The table routes.
//!
//! The schema is shown exactly as it was sent, descriptions, default values and unknown members
//! included. Partitioning, clustering and expiration are kept and shown, not acted upon; a view is a
//! table with the member `view`; external tables are refused.
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
use crate::rest::edit::Edit;
use crate::rest::server::Server;
use crate::rest::wire::{Json, JsonBody, Paging, Params};
use crate::storage::catalog;
use crate::storage::catalog::Table;
use crate::storage::schema::Schema;

/// Members that are computed here, whatever a client sends for them.
const COMPUTED: [&str; 12] = [
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

/// Members that tables.list shows.
const LISTED: [&str; 10] =
    ["clustering", "creationTime", "expirationTime", "friendlyName", "id", "kind", "labels", "tableReference", "timePartitioning", "type"];

/// Members of what is neither a plain table nor a view.
const NOT_PLAIN: [&str; 3] = ["cloneDefinition", "externalDataConfiguration", "materializedView"];

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
    let next = paging.cut(&mut found, |table| table.name.table.clone());
    let entries = found.iter().map(|table| Ok(resource::only(shown(table)?, &LISTED))).collect::<Result<Vec<_>, ApiError>>()?;
    let mut answer = json!({
        "kind": "bigquery#tableList",
        "totalItems": total,
        "tables": entries,
    });
    if let Some(token) = next {
        answer["nextPageToken"] = Value::from(token);
    }
    Ok(Json(answer))
}

pub(crate) async fn get(State(server): State<Arc<Server>>, name: TableRef) -> Result<Response, ApiError> {
    #[cfg(feature = "faults")]
    if let Some(fault) = server.faults.on_tables_get(&name.to_string()) {
        return Ok(fault);
    }
    if let Some(result) = server.jobs.anonymous(&name) {
        return Ok(Json(result.shown()).into_response());
    }
    let find = move |db: &_| catalog::table(db, &name);
    let table = server.store.read(find).await?;
    Ok(Json(shown_with_schema(&table)?).into_response())
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
    if let Some(kind) = NOT_PLAIN.iter().find(|kind| sent.contains_key(**kind)) {
        let message = format!("The local BigQuery has plain tables and views only; it cannot make a {kind}.");
        return Err(ApiError::NotImplemented(message));
    }
    let mut schema = sent.remove("schema").filter(|schema| !schema.is_null());
    if let Some(view) = sent.get("view") {
        schema = view_schema(&server, &name, view).await?;
    }
    parse(schema.as_ref())?;

    let now = server.now();
    let table = server
        .store
        .write(move |db| {
            if catalog::find_table(db, &name)?.is_some() {
                return Err(ApiError::Duplicate(format!("Table {name}")));
            }
            let members = resource::without(sent, &COMPUTED);
            catalog::create_table(db, &name, &members, schema.as_ref(), now)?;
            catalog::table(db, &name)
        })
        .await?;
    Ok(Json(shown_with_schema(&table)?))
}

/// The columns that a view's query gives.
async fn view_schema(server: &Server, name: &TableRef, view: &Value) -> Result<Option<Value>, ApiError> {
    if view["useLegacySql"] == Value::Bool(true) {
        return Err(ApiError::NotImplemented("The local BigQuery has no legacy SQL; set useLegacySql to false.".to_owned()));
    }
    let sql = view["query"].as_str().ok_or_else(|| ApiError::Invalid("Required parameter is missing: query".to_owned()))?;
    let query = Query { project: name.dataset.project.clone(), sql: sql.to_owned(), dry_run: true, ..Query::default() };
    Ok(server.queries.run(query).await?.schema)
}

/// `PATCH` and `PUT`. A schema may gain columns and relax them, as in BigQuery; a view's is that of its query.
pub(crate) async fn change(State(server): State<Arc<Server>>, name: TableRef, edit: Edit) -> Result<Json<Members>, ApiError> {
    let now = server.now();
    let of_view = match edit.member("view") {
        Some(view) => view_schema(&server, &name, view).await?,
        None => None,
    };
    let table = server
        .store
        .write(move |db| {
            let table = catalog::table(db, &name)?;
            let old = table.schema()?;
            let mut members = edit.apply(&etag(&table), table.members()?)?;
            // `bq update --set_label` sends a null schema, and means that it stays.
            let sent = members.remove("schema").filter(|schema| !schema.is_null());
            let new = match of_view {
                Some(_) if !table.is_view()? => return Err(ApiError::Invalid(format!("{name} is a TABLE and cannot become a VIEW."))),
                Some(schema) => Some(schema),
                None => {
                    let new = sent.or_else(|| old.clone());
                    parse(old.as_ref())?.check_change(&parse(new.as_ref())?, &name.to_string())?;
                    new
                }
            };
            let members = resource::without(members, &COMPUTED);
            catalog::change_table(db, &table, &members, new.as_ref(), now)?;
            catalog::table(db, &name)
        })
        .await?;
    Ok(Json(shown_with_schema(&table)?))
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

/// A table may lack a schema; it then has no columns.
fn parse(schema: Option<&Value>) -> Result<Schema, ApiError> {
    Schema::parse(schema.unwrap_or(&Value::Null))
}

fn etag(table: &Table) -> String {
    format!("t{}v{}", table.id, table.version)
}

/// The table as tables.get shows it.
fn shown_with_schema(table: &Table) -> Result<Members, ApiError> {
    let mut members = shown(table)?;
    if let Some(schema) = table.schema()? {
        members.insert("schema".to_owned(), schema);
    }
    Ok(members)
}

fn shown(table: &Table) -> Result<Members, ApiError> {
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
    Ok(resource::with(table.members()?, computed))
}
