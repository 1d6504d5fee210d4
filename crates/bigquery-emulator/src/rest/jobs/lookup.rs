//! `jobs.get`, `jobs.cancel` and `jobs.delete`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs>.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::job_resource;
use crate::error::ApiError;
use crate::jobs::name::JobName;
use crate::rest::server::Server;
use crate::rest::wire::Json;

pub(crate) async fn get(State(server): State<Arc<Server>>, name: JobName) -> Result<Json<Value>, ApiError> {
    Ok(Json(job_resource::to_json(&*server.jobs.find(&name)?)))
}

/// `jobs.cancel`. It has no effect on a completed job. As in BigQuery, a DELETE may still be committed.
pub(crate) async fn cancel(State(server): State<Arc<Server>>, name: JobName) -> Result<Json<Value>, ApiError> {
    let job = server.jobs.find(&name)?;
    job.cancel();
    Ok(Json(json!({"kind": "bigquery#jobCancelResponse", "job": job_resource::to_json(&job)})))
}

/// `jobs.delete`: removes a job and its result.
pub(crate) async fn delete(State(server): State<Arc<Server>>, name: JobName) -> Result<StatusCode, ApiError> {
    let job = server.jobs.find(&name)?;
    if job.is_running() {
        return Err(ApiError::Invalid(format!("Job {name} is still running. Only jobs that have completed can be deleted.")));
    }
    server.jobs.remove(&job);
    Ok(StatusCode::NO_CONTENT)
}
