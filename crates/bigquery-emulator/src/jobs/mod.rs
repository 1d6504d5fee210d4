//! Jobs: queries that run in the background, and the ways to ask for them.
//!
//! ```text
//! jobs.query  ─┬─ configuration ── registry ── job ── Engine::run
//! jobs.insert ─┘   (what is asked,  (starts,   (waits,
//!                   what refused)    keeps)     ends once)
//!                                      │
//! jobs.get, list, cancel, delete ◀─────┤ rest::jobs
//! getQueryResults, anonymous tables ◀──┘ page
//! ```
//!
//! A job belongs to the server, not to the request that started it: a client may go and come back
//! for the result. Results are kept in memory and within bounds; the oldest go first, and nothing
//! outlives the process. Only query jobs exist: load, copy and extract jobs are refused by name.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs>.

pub(crate) mod anonymous;
pub(crate) mod configuration;
pub(crate) mod job;
pub(crate) mod name;
pub(crate) mod page;
pub(crate) mod refused;
pub(crate) mod registry;
