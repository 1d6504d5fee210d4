//! A BigQuery for one machine: its REST API, over a SQLite file and a query engine.
//!
//! It exists so that whatever talks to BigQuery can run, and be tested, without an account: `bq` and Google's client
//! libraries talk to it over HTTP. What it promises is BigQuery's *observable* behaviour: the same routes, the same error
//! shapes and messages, `templateSuffix`, `insertErrors`, de-duplication by `insertId`, and an answer that is sent only
//! when the rows are on disk.
//!
//! The path of a request:
//!
//! ```text
//! rest (routes, JSON) ─┬─ streaming (insertAll) ─────────┐
//!                      ├─ (datasets, tables, tabledata) ─┼─ storage ─┬─ writer (one thread)
//!                      └─ jobs ── queries ── googlesql ──┘           └─ readers
//! ```
//!
//! Three rules hold everywhere:
//!
//! * Everything that writes is a closure run by the one writer thread inside a transaction; nobody is answered before the
//!   commit has returned (`storage::writer`).
//! * A stored row has passed the check against its table's schema (`streaming::row`), so reading cannot fail.
//! * Every error is answered in BigQuery's error shape (`error`).
//!
//! What it is not: an access control (every request is let in, whatever its token), a place for partitions or expiry
//! (table settings are kept and shown, not acted upon).

mod error;
#[cfg(feature = "faults")]
mod faults;
mod google_json;
mod jobs;
mod names;
mod queries;
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

/// A handle on an open local BigQuery; clones share it.
///
/// The data are in one directory, which one process at a time may have open. When the last handle is gone (the router
/// holds one, too) the writer thread finishes what was handed to it and ends.
#[derive(Clone)]
pub struct BigQuery {
    server: Arc<Server>,
}

impl BigQuery {
    /// Opens the data in `dir`, creating the directory and `bigquery.sqlite` in it when they do not exist, and starts the
    /// writer thread.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says which file or directory is at fault: in use by another process, not ours, of another version,
    /// damaged, or not accessible.
    pub fn open(dir: &Path) -> Result<BigQuery, OpenError> {
        let server = Server::new(Store::open(dir)?).map_err(OpenError::Thread)?;
        Ok(BigQuery { server: Arc::new(server) })
    }

    /// Every route, both under `/bigquery/v2` (BigQuery's own base path) and at the root (for clients whose endpoint
    /// setting replaces that path), and the discovery document for `bq`.
    pub fn router(&self) -> Router {
        rest::router(Arc::clone(&self.server))
    }

    /// The routes under `/bigquery/v2` alone: for a server that has others besides.
    pub fn api(&self) -> Router {
        rest::nested(Arc::clone(&self.server))
    }

    /// The faults that this server has to make: a setting for tests, empty unless a test fills it.
    #[cfg(feature = "faults")]
    pub fn faults(&self) -> &Faults {
        &self.server.faults
    }

    /// Ends the queries that still run, and gives this handle back. If it was the last one, waits until the writer thread
    /// has committed what it was given and the file is closed; afterwards the directory can be opened again.
    pub async fn close(self) {
        self.server.jobs.close().await;
        drop(self);
    }
}
