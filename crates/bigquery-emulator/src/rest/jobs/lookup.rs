//! What can be done with one job by its name: show it, cancel it, forget it.

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
    Ok(Json(job_resource::job(&*server.jobs.find(&name)?)))
}

/// Cancelling a job that has ended changes nothing and is no error. A DELETE that is being committed
/// may still happen, as in BigQuery.
pub(crate) async fn cancel(State(server): State<Arc<Server>>, name: JobName) -> Result<Json<Value>, ApiError> {
    let job = server.jobs.find(&name)?;
    job.cancel();
    Ok(Json(json!({"kind": "bigquery#jobCancelResponse", "job": job_resource::job(&job)})))
}

/// Forgets a job and its result.
pub(crate) async fn delete(State(server): State<Arc<Server>>, name: JobName) -> Result<StatusCode, ApiError> {
    let job = server.jobs.find(&name)?;
    if job.is_running() {
        return Err(ApiError::Invalid(format!("Job {name} is still running. Only jobs that have completed can be deleted.")));
    }
    server.jobs.forget(&job);
    Ok(StatusCode::NO_CONTENT)
}
