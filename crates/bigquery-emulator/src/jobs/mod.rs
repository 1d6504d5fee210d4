//! Jobs: queries that run in the background, and the ways to ask for them.
//!
//! ```text
//! jobs.query  ─┬─ configuration ── registry ── job ── Engine::run
//! jobs.insert ─┘   (what is asked,  (starts,   (waits,
//!                   what refused)    keeps)     ends once)
//!                                      │
//! jobs.get, list, cancel, delete ◀─────┤ shown
//! getQueryResults, anonymous tables ◀──┘ page
//! ```
//!
//! A job belongs to the server, not to the request that started it: a client may go and come back
//! for the result. Results are kept in memory and within bounds; the oldest go first, and nothing
//! outlives the process. Only query jobs exist: load, copy and extract jobs are refused by name.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs>.

mod anonymous;
mod configuration;
mod failure;
mod insert;
mod job;
mod list;
mod lookup;
mod name;
mod page;
mod query;
mod refused;
mod registry;
mod results;
mod shown;

pub(crate) use failure::JobError;
pub(crate) use registry::Jobs;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use super::Server;

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

/// Where load jobs send their data: not a place of this server.
pub(crate) fn upload_routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/upload/bigquery/v2/projects/{project}/jobs", post(refused::upload))
        .route("/resumable/upload/bigquery/v2/projects/{project}/jobs", post(refused::upload))
}
