//! The routes of what this server does not have: models, routines, row access policies.
//!
//! Their lists are empty; `bq show` and consoles ask for them in passing.

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
            let mut answer = json!({"kind": kind});
            answer[member] = json!([]);
            Json(answer)
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
