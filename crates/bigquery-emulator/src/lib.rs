//! A BigQuery emulator: BigQuery's REST API over a SQLite database and the query engine `googlesql`.
//!
//! Programs that use BigQuery can run and be tested without an account. `bq` and Google's client libraries talk to the
//! emulator over HTTP. It implements BigQuery's *observable* behavior: routes, error formats and messages,
//! `templateSuffix`, `insertErrors`, deduplication by `insertId`, and a response that is sent after the rows are on disk.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest>.
//!
//! The path of a request:
//!
//! ```text
//! rest (routes, JSON) ─┬─ streaming (insertAll) ─────────┐
//!                      ├─ (datasets, tables, tabledata) ─┼─ storage ─┬─ writer (one thread)
//!                      └─ jobs ── queries ── googlesql ──┘           └─ readers
//! ```
//!
//! Invariants:
//!
//! * Every write is a closure that the writer thread runs in a transaction. The response is sent after the commit
//!   (`storage::writer`).
//! * Every stored row was checked against the schema of its table (`streaming::row`).
//! * Every error response has BigQuery's format (`error`).
//!
//! The emulator has no access control: it accepts every request and every token. It stores and returns settings of
//! partitioning and expiration, but ignores them.

mod error;
#[cfg(feature = "faults")]
mod faults;
mod google_json;
mod jobs;
mod names;
mod query_runner;
#[cfg(test)]
mod query_tests;
mod resource;
mod rest;
mod storage;
mod streaming;
#[cfg(feature = "faults")]
mod streaming_buffer;

#[cfg(feature = "faults")]
pub use faults::{Fault, Faults, InsertAllCount, Status};
pub use storage::store::OpenError;

use std::path::Path;
use std::sync::Arc;

use axum::Router;

use rest::server::Server;
use storage::store::Store;

/// A handle to an open emulator. Clones share the emulator.
///
/// The data is in one directory, which one process can open at a time. When the last handle is dropped, the writer thread
/// finishes its queue and ends. The router has a handle, too.
#[derive(Clone)]
pub struct BigQuery {
    server: Arc<Server>,
}

impl BigQuery {
    /// Opens the data in `dir` and starts the writer thread. Creates the directory and `bigquery.sqlite` in it if they do
    /// not exist.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if the directory is in use by another process, or the file is corrupt, inaccessible, of another
    /// version or of another program.
    pub fn open(dir: &Path) -> Result<BigQuery, OpenError> {
        let server = Server::new(Store::open(dir)?).map_err(OpenError::Thread)?;
        Ok(BigQuery { server: Arc::new(server) })
    }

    /// All routes, under `/bigquery/v2` and at the root, and the discovery document for `bq`. The root is for clients
    /// whose endpoint setting replaces the base path `/bigquery/v2`.
    pub fn router(&self) -> Router {
        rest::router(Arc::clone(&self.server))
    }

    /// Only the routes under `/bigquery/v2`, for a server with other routes.
    pub fn api(&self) -> Router {
        rest::nested(Arc::clone(&self.server))
    }

    /// The faults to inject. There are none by default.
    #[cfg(feature = "faults")]
    pub fn faults(&self) -> &Faults {
        &self.server.faults
    }

    /// Cancels running queries and drops this handle. If it was the last handle, this waits until the writer thread
    /// committed its queue and the file is closed. Then the directory can be opened again.
    pub async fn close(self) {
        self.server.jobs.close().await;
        drop(self);
    }
}
