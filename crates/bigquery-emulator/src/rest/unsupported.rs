//! The routes of unsupported resources: models, routines and row access policies.
//!
//! Their lists are empty. `bq show` and consoles request them.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use serde_json::json;

use crate::rest::server::Server;
use crate::rest::wire::Json;

pub(crate) fn routes() -> Router<Arc<Server>> {
    const DATASET: &str = "/projects/{project}/datasets/{dataset}";

    let empty = |kind: &'static str, member: &'static str| {
        get(move || async move {
            let mut response = json!({"kind": kind});
            response[member] = json!([]);
            Json(response)
        })
    };
    Router::new()
        .route(&format!("{DATASET}/models"), empty("bigquery#listModelsResponse", "models"))
        .route(&format!("{DATASET}/routines"), empty("bigquery#listRoutinesResponse", "routines"))
        .route(
            &format!("{DATASET}/tables/{{table}}/rowAccessPolicies"),
            empty("bigquery#listRowAccessPoliciesResponse", "rowAccessPolicies"),
        )
}
