//! The routes of BigQuery's REST API.
//!
//! `wire` and `extract` parse requests, `resource_update` is an update of a resource, and `server` is the state. Each
//! resource has a file with its handlers; the handlers of jobs are in `jobs`.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest>.

mod datasets;
mod discovery;
mod extract;
mod insert_all;
mod jobs;
mod resource_update;
pub(crate) mod server;
mod tabledata;
mod tables;
mod unsupported;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::routing::{get, post};
use server::Server;

use crate::error::ApiError;

/// All routes, under `/bigquery/v2` and at the root, and the discovery document for `bq`.
pub(crate) fn router(server: Arc<Server>) -> Router {
    let api = api();
    Router::new()
        .nest("/bigquery/v2", api.clone())
        .merge(api)
        .merge(jobs::upload_routes())
        .route("/$discovery/rest", get(discovery::document))
        .route("/discovery/v1/apis/bigquery/v2/rest", get(discovery::document))
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_route)
        .layer(DefaultBodyLimit::max(wire::BODY_LIMIT))
        .with_state(server)
}

/// Only the routes under `/bigquery/v2`.
pub(crate) fn nested(server: Arc<Server>) -> Router {
    let api = api().fallback(unknown_route).method_not_allowed_fallback(unknown_route);
    let api = api.layer(DefaultBodyLimit::max(wire::BODY_LIMIT)).with_state(server);
    Router::new().nest("/bigquery/v2", api)
}

fn api() -> Router<Arc<Server>> {
    const DATASETS: &str = "/projects/{project}/datasets";
    const DATASET: &str = "/projects/{project}/datasets/{dataset}";
    const TABLES: &str = "/projects/{project}/datasets/{dataset}/tables";
    const TABLE: &str = "/projects/{project}/datasets/{dataset}/tables/{table}";

    Router::new()
        .route("/projects", get(datasets::projects))
        .route(DATASETS, get(datasets::list).post(datasets::insert))
        .route(DATASET, get(datasets::get).patch(datasets::update).put(datasets::update).delete(datasets::delete))
        .route(TABLES, get(tables::list).post(tables::insert))
        .route(TABLE, get(tables::get).patch(tables::update).put(tables::update).delete(tables::delete))
        .route(&format!("{TABLE}/data"), get(tabledata::list))
        .route(&format!("{TABLE}/insertAll"), post(insert_all::insert_all))
        .merge(jobs::routes())
        .merge(unsupported::routes())
}

/// Responds with 404 and the requested path, which shows a wrong base URL of the client.
async fn unknown_route(request: Request) -> ApiError {
    ApiError::UnknownRoute { method: request.method().clone(), path: request.uri().path().to_owned() }
}
