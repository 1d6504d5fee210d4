//! The routes of jobs and their results. `jobs` implements them.

mod insert;
mod job_resource;
mod list;
mod lookup;
mod query;
mod results;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use super::server::Server;

pub(crate) fn routes() -> Router<Arc<Server>> {
    const JOBS: &str = "/projects/{project}/jobs";
    const JOB: &str = "/projects/{project}/jobs/{job}";
    const QUERIES: &str = "/projects/{project}/queries";

    Router::new()
        .route(QUERIES, post(query::query))
        .route(&format!("{QUERIES}/{{job}}"), get(results::results))
        .route(JOBS, get(list::list).post(insert::insert))
        .route(JOB, get(lookup::get))
        .route(&format!("{JOB}/cancel"), post(lookup::cancel))
        .route(&format!("{JOB}/delete"), delete(lookup::delete))
}

/// The upload routes of load jobs.
pub(crate) fn upload_routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/upload/bigquery/v2/projects/{project}/jobs", post(upload::upload))
        .route("/resumable/upload/bigquery/v2/projects/{project}/jobs", post(upload::upload))
}
