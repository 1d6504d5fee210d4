//! The routes of BigQuery's REST API.
//!
//! `wire` and `extract` read requests, `edit` is a change of a resource, `server` is what every handler sees. A file per
//! resource has its handlers; those of jobs are in `jobs`.

mod datasets;
mod discovery;
mod edit;
mod extract;
mod insert_all;
mod jobs;
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

/// Every route, both under `/bigquery/v2` and at the root, and the discovery document for `bq`.
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

/// The routes under `/bigquery/v2` alone.
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
        .route(DATASET, get(datasets::get).patch(datasets::change).put(datasets::change).delete(datasets::delete))
        .route(TABLES, get(tables::list).post(tables::insert))
        .route(TABLE, get(tables::get).patch(tables::change).put(tables::change).delete(tables::delete))
        .route(&format!("{TABLE}/data"), get(tabledata::list))
        .route(&format!("{TABLE}/insertAll"), post(insert_all::insert_all))
        .merge(jobs::routes())
        .merge(unsupported::routes())
}

/// 404 that repeats what was asked: a client with a wrong base URL sees it at once.
async fn unknown_route(request: Request) -> ApiError {
    ApiError::UnknownRoute { method: request.method().clone(), path: request.uri().path().to_owned() }
}
