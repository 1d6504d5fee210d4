//! The dataset routes, and the list of projects.
//!
//! Access entries, default expirations and similar settings are kept and returned, and have no effect.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets>.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::google_json::deserialize_bool;
use crate::names::DatasetRef;
use crate::resource;
use crate::resource::Members;
use crate::rest::extract::Project;
use crate::rest::resource_update::ResourceUpdate;
use crate::rest::server::Server;
use crate::rest::wire::{Json, JsonBody, Paging, Params};
use crate::storage::catalog;
use crate::storage::catalog::Dataset;

/// Members that the server computes. They are ignored in requests.
const COMPUTED_MEMBERS: [&str; 8] = ["creationTime", "datasetReference", "etag", "id", "kind", "lastModifiedTime", "selfLink", "type"];

/// Members of the entries of datasets.list.
const LIST_MEMBERS: [&str; 6] = ["datasetReference", "friendlyName", "id", "kind", "labels", "location"];

/// `GET /projects`: the projects with datasets. Requests may use any other project id.
pub(crate) async fn projects(State(server): State<Arc<Server>>) -> Result<Json<Value>, ApiError> {
    let mut projects = server.store.read(catalog::projects).await?;
    if projects.is_empty() {
        projects.push("local".to_owned());
    }
    let entries: Vec<Value> = projects
        .iter()
        .map(|project| {
            json!({
                "kind": "bigquery#project",
                "id": project,
                "numericId": "1",
                "projectReference": {"projectId": project},
                "friendlyName": project,
            })
        })
        .collect();
    Ok(Json(json!({
        "kind": "bigquery#projectList",
        "totalItems": entries.len(),
        "projects": entries,
    })))
}

pub(crate) async fn list(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    Params(paging): Params<Paging>,
) -> Result<Json<Value>, ApiError> {
    let (after, limit) = (paging.after().to_owned(), paging.limit());
    let mut found = server.store.read(move |db| catalog::datasets(db, &project, &after, limit + 1)).await?;
    let next = paging.truncate(&mut found, |dataset| dataset.name.dataset.clone());
    let entries = found
        .iter()
        .map(|dataset| Ok(resource::keep_members(to_resource(dataset)?, &LIST_MEMBERS)))
        .collect::<Result<Vec<_>, ApiError>>()?;
    let mut response = json!({"kind": "bigquery#datasetList", "datasets": entries});
    if let Some(token) = next {
        response["nextPageToken"] = Value::from(token);
    }
    Ok(Json(response))
}

pub(crate) async fn get(State(server): State<Arc<Server>>, name: DatasetRef) -> Result<Json<Members>, ApiError> {
    let find = move |db: &_| catalog::dataset(db, &name);
    let dataset = server.store.read(find).await?;
    Ok(Json(to_resource(&dataset)?))
}

pub(crate) async fn insert(
    State(server): State<Arc<Server>>,
    Project(project): Project,
    JsonBody(sent): JsonBody<Members>,
) -> Result<Json<Members>, ApiError> {
    let id = sent
        .get("datasetReference")
        .and_then(|reference| reference.get("datasetId"))
        .and_then(Value::as_str)
        .ok_or_else(|| ApiError::Invalid("Dataset ID is missing.".to_owned()))?;
    let name = DatasetRef { project, dataset: id.to_owned() };
    name.check_id()?;

    let now = server.now();
    let dataset = server
        .store
        .write(move |db| {
            if catalog::find_dataset(db, &name)?.is_some() {
                return Err(ApiError::Duplicate(format!("Dataset {name}")));
            }
            let members = resource::remove_members(sent, &COMPUTED_MEMBERS);
            catalog::create_dataset(db, &name, &members, now)?;
            catalog::dataset(db, &name)
        })
        .await?;
    Ok(Json(to_resource(&dataset)?))
}

/// `PATCH` and `PUT`.
pub(crate) async fn update(State(server): State<Arc<Server>>, name: DatasetRef, update: ResourceUpdate) -> Result<Json<Members>, ApiError> {
    let now = server.now();
    let dataset = server
        .store
        .write(move |db| {
            let dataset = catalog::dataset(db, &name)?;
            let members = update.apply(&etag(&dataset), dataset.members()?)?;
            let members = resource::remove_members(members, &COMPUTED_MEMBERS);
            catalog::change_dataset(db, &dataset, &members, now)?;
            catalog::dataset(db, &name)
        })
        .await?;
    Ok(Json(to_resource(&dataset)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteParams {
    #[serde(default, deserialize_with = "deserialize_bool")]
    delete_contents: bool,
}

pub(crate) async fn delete(
    State(server): State<Arc<Server>>,
    name: DatasetRef,
    Params(DeleteParams { delete_contents }): Params<DeleteParams>,
) -> Result<StatusCode, ApiError> {
    server
        .store
        .write(move |db| {
            let dataset = catalog::dataset(db, &name)?;
            if !delete_contents && catalog::count_tables(db, &dataset)? > 0 {
                return Err(ApiError::ResourceInUse(name.to_string()));
            }
            catalog::delete_dataset(db, &dataset)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn etag(dataset: &Dataset) -> String {
    format!("d{}v{}", dataset.id, dataset.version)
}

/// The `Dataset` resource.
fn to_resource(dataset: &Dataset) -> Result<Members, ApiError> {
    let computed = json!({
        "kind": "bigquery#dataset",
        "id": dataset.name.to_string(),
        "etag": etag(dataset),
        "type": "DEFAULT",
        "datasetReference": {
            "projectId": dataset.name.project,
            "datasetId": dataset.name.dataset,
        },
        "creationTime": dataset.created.to_string(),
        "lastModifiedTime": dataset.modified.to_string(),
    });
    let mut members = resource::add_members(dataset.members()?, computed);
    members.entry("access").or_insert_with(|| json!([]));
    members.entry("location").or_insert_with(|| json!("US"));
    Ok(members)
}
