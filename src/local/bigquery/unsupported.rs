//! The routes of what this server does not have, so that clients get a clear answer.
//!
//! Lists are empty; `bq show` and consoles ask for them in passing. Whatever would run a query or
//! another job is 501 `notImplemented`.

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::Server;
use super::errors::ApiError;
use super::wire::Json;

pub(super) fn routes() -> Router<Arc<Server>> {
    const JOBS: &str = "/projects/{project}/jobs";
    const QUERIES: &str = "/projects/{project}/queries";
    const DATASET: &str = "/projects/{project}/datasets/{dataset}";

    let empty = |kind: &'static str, member: &'static str| {
        get(move || async move {
            let mut answer = json!({"kind": kind});
            answer[member] = json!([]);
            Json(answer)
        })
    };
    Router::new()
        .route(JOBS, empty("bigquery#jobList", "jobs").post(jobs))
        .route(&format!("{JOBS}/{{job}}"), get(jobs))
        .route(&format!("{JOBS}/{{job}}/cancel"), post(jobs))
        .route(QUERIES, post(jobs))
        .route(&format!("{QUERIES}/{{job}}"), get(jobs))
        .route(&format!("{DATASET}/models"), empty("bigquery#listModelsResponse", "models"))
        .route(&format!("{DATASET}/routines"), empty("bigquery#listRoutinesResponse", "routines"))
        .route(
            &format!("{DATASET}/tables/{{table}}/rowAccessPolicies"),
            empty("bigquery#listRowAccessPoliciesResponse", "rowAccessPolicies"),
        )
}

pub(super) async fn jobs() -> Result<Json<Value>, ApiError> {
    Err(ApiError::NotImplemented("The local BigQuery does not run queries or other jobs; it lists tables and rows.".to_owned()))
}
