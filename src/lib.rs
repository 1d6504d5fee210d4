//! A tracking pixel behind Google's load balancer. Every request for it becomes a row in BigQuery.
//!
//! The pixel is a static file, and the load balancer's log contains the events: no collector is needed. A log sink
//! publishes the log entries to Pub/Sub, Pub/Sub pushes them to this service, and each log entry becomes a row in a table
//! per user and day.
//!
//! # The path of an event
//!
//! ```text
//! Pub/Sub ── POST / ──▶ source::http::server
//!                            │
//!                            ▼
//!                       source::push        token, number of messages in flight, body
//!                            │              ▶ 401, 403, 429, 413
//!                            ▼
//!                       source::delivery    HTTP body ──▶ decode::PubsubMessage
//!                            │              ▶ 400 invalid request
//!                            ▼
//!                       pipeline            processes one message
//!                            │
//!                            ├─▶ decode::Decoder     message ──▶ decode::Row
//!                            │                       ▶ filtered: 204
//!                            │                       ▶ rejected: a row of the dead-letter table
//!                            ├─▶ table_limit         the row's own table, or the overflow table
//!                            ▼
//!                       sink::batcher       rows of one table ──▶ batches
//!                            │
//!                            ▼
//!                       sink::bigquery ── insertAll ──▶ BigQuery
//!                            │
//!                            ▼
//!                       ack::Outcome        row or dead letter stored ▶ 204
//!                                           not stored by the deadline ▶ 503
//! ```
//!
//! `source::pull` takes messages from a pull subscription in place of push requests. The rest of the path is the same.
//!
//! # Invariants
//!
//! * An acknowledged message is stored, deliberately filtered, or in the dead-letter table. [`ack`] is the only place
//!   that defines which outcome is an acknowledgement.
//! * No work is done after a response, because Cloud Run takes the CPU away. A delivery waits for the outcome of its row.
//! * [`decode`] is pure: no I/O, no clock, no log.
//! * A [`sink`] stores rows and makes no decision. The batcher does not know BigQuery, and BigQuery does not know the
//!   callers that wait for a row.
//! * Each event is counted once, in [`telemetry::metrics`]. `/metrics`, the reports in the log and the console read the
//!   same counters.
//! * Names and types of columns are defined in `schema/` and in the template table, and nowhere else.
//! * Only [`config`] reads the environment. Only [`service`], [`cli`] and `local::topology` assemble the parts.
//! * Imports run `decode ◀ google ◀ config ◀ sink ◀ ack ◀ pipeline ◀ source ◀ service ◀ local ◀ cli`. `pixel_server`
//!   imports [`decode`] and [`source`]. `table_limit`, `missing_columns` and [`schema_sql`] import [`decode`] only.
//!   [`admission`], [`decode`] and [`telemetry`] import nothing of the product. No two folders import each other.
//! * [`local`] plays Google Cloud's side over real sockets. The service does not depend on it.

#![forbid(unsafe_code)]
// They panic if the output is closed or its disk is full.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod ack;
pub mod admission;
pub mod cli;
pub mod config;
pub mod decode;
pub mod google;
#[cfg(test)]
mod import_order;
#[cfg(feature = "local")]
pub mod local;
pub mod missing_columns;
pub mod pipeline;
pub(crate) mod pixel_server;
pub mod schema_sql;
pub mod service;
pub mod sink;
pub mod source;
pub mod table_limit;
pub mod telemetry;
