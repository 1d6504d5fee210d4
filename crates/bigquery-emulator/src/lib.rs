//! A BigQuery for one machine: its REST API, over a SQLite file and a query engine.
//!
//! It exists so that the whole pipeline can run, and be tested, without an account: the real
//! client of [`crate`] talks to it over HTTP, and so do `bq` and Google's client libraries. What it
//! promises is BigQuery's *observable* behaviour: the same routes, the same error shapes and
//! messages, `templateSuffix`, `insertErrors`, de-duplication by `insertId`, and an answer that is
//! sent only when the rows are on disk.
//!
//! The path of a request:
//!
//! ```text
//! router ── wire (gzip, JSON) ─┬─ insert_all ── insertion ─┐
//!                              ├─ datasets, tables ────────┼─ catalog, rows ── store ─┬─ writer (one thread)
//!                              ├─ tabledata ───────────────┤                          └─ readers
//!                              ├─ jobs ── googlesql ───────┘  (queries, on threads of their own)
//!                              ├─ discovery
//!                              └─ unsupported (empty lists)
//! ```
//!
//! Three rules hold everywhere:
//!
//! * Everything that writes is a closure run by the one writer thread inside a transaction;
//!   nobody is answered before the commit has returned (`writer`).
//! * A stored row has passed the check against its table's schema (`row`), so reading cannot fail.
//! * Whatever goes wrong is answered in BigQuery's error shape (`errors`).
//!
//! What it is not: an access control (every request is let in, whatever its token), a place for
//! partitions or expiry (table settings are kept and shown, not acted upon).

mod catalog;
mod datasets;
mod decimal;
mod default_value;
mod discovery;
mod errors;
mod faults;
#[path = "../../googlesql/src/lib.rs"]
mod googlesql;
mod insert_all;
mod insertion;
mod jobs;
mod moment;
mod names;
mod resource;
mod row;
mod rows;
mod scalar;
mod schema;
mod store;
mod streaming_buffer;
mod tabledata;
mod tables;
mod unsupported;
mod wire;
mod writer;

pub use faults::{Fault, Faults, InsertAllCount, Status};
pub use store::OpenError;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::routing::{get, post};

use errors::ApiError;
use googlesql::Engine;
use jobs::Jobs;
use store::Store;

/// A handle on an open local BigQuery; clones share it.
///
/// The data live in one directory, which one process at a time may have open. When the last
/// handle is gone (the router holds one, too) the writer thread finishes what was handed to it
/// and ends.
#[derive(Clone)]
pub struct BigQuery {
    server: Arc<Server>,
}

/// What every handler sees.
struct Server {
    jobs: Jobs,
    engine: Arc<Engine>,
    store: Arc<Store>,
    faults: Faults,
}

impl BigQuery {
    /// Opens the data in `dir`, creating the directory and `bigquery.sqlite` in it when they do
    /// not exist, and starts the writer thread.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says which file or directory is at fault: in use by another process, not
    /// ours, of another version, damaged, or not accessible.
    pub fn open(dir: &Path) -> Result<BigQuery, OpenError> {
        let store = Arc::new(Store::open(dir)?);
        let engine = Arc::new(Engine::start().map_err(OpenError::Thread)?);
        let faults = Faults::with(Arc::clone(engine.streaming_buffer()));
        let server = Server { jobs: Jobs::default(), engine, store, faults };
        Ok(BigQuery { server: Arc::new(server) })
    }

    /// Every route, both under `/bigquery/v2` (BigQuery's own base path) and at the root (for
    /// clients whose endpoint setting replaces that path), and the discovery document for `bq`.
    pub fn router(&self) -> Router {
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
            .with_state(Arc::clone(&self.server))
    }

    /// The routes under `/bigquery/v2` alone: for a server that has others besides.
    pub fn api(&self) -> Router {
        let api = api().fallback(unknown_route).method_not_allowed_fallback(unknown_route);
        let api = api.layer(DefaultBodyLimit::max(wire::BODY_LIMIT)).with_state(Arc::clone(&self.server));
        Router::new().nest("/bigquery/v2", api)
    }

    /// The faults this server shall make: a setting for tests, empty unless a test fills it.
    pub fn faults(&self) -> &Faults {
        &self.server.faults
    }

    /// Ends the queries that still run, and gives this handle back. If it was the last one, waits
    /// until the writer thread has committed what it was given and the file is closed; afterwards
    /// the directory can be opened again.
    pub async fn close(self) {
        self.server.jobs.close().await;
        drop(self);
    }
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
