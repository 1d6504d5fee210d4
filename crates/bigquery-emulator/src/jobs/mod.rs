//! Query jobs: they run in the background, and the registry keeps their results.
//!
//! ```text
//! jobs.query  ─┬─ configuration ── registry ── job ── Engine::run
//! jobs.insert ─┘   (parses and      (starts    (state)
//!                   checks)          and keeps)
//!                                      │
//! jobs.get, list, cancel, delete ◀─────┤ rest::jobs
//! getQueryResults, anonymous tables ◀──┘ page
//! ```
//!
//! A job continues when the client that started it disconnects. Results are in memory, up to a limit; the oldest are
//! dropped first. Jobs end with the process. Load, copy and extract jobs are not supported.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs>.

pub(crate) mod anonymous;
pub(crate) mod configuration;
pub(crate) mod job;
pub(crate) mod name;
pub(crate) mod page;
pub(crate) mod registry;
pub(crate) mod unsupported;
