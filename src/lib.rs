//! A tracking pixel behind Google's load balancer, and every hit a row in BigQuery.
//!
//! The pixel is a static file, so nobody runs a collector: the load balancer's log is the stream
//! of events. A log sink publishes it to Pub/Sub, Pub/Sub pushes it here, and here each log entry
//! becomes a row in a table per user and day.
//!
//! # The path of an event
//!
//! ```text
//!            POST /                                                  insertAll
//! Pub/Sub ─────────▶ source::http::server ▶ source::push                ▲
//!                                             │ 429 too many, 413      │
//!                    source::delivery  ◀──────┤                        │
//!                      │ 400 no message       │                        │
//!                      ▼                      ▼                        │
//!                    decode::PubsubMessage ▶ pipeline                  │
//!                                             │                        │
//!                    decode::Decoder  ◀───────┤                        │
//!                      │ Filtered ▶ 204       │                        │
//!                      │ Rejected ▶ dead letter ─┤                        │
//!                      ▼                      ▼                        │
//!                    decode::Row ─────────▶ new_tables: too many? the overflow table
//!                                             ▼                        │
//!                                           sink::batcher ▶ sink::bigquery
//!                                             │
//!                    outcome::Outcome  ◀──────┘ stored ▶ 204, dead letter stored ▶ 204,
//!                                               not settled in time ▶ 503
//! ```
//!
//! # What holds everywhere
//!
//! * An acknowledged message is stored, deliberately filtered, or in the dead-letter table. There
//!   is no fourth case, and [`outcome`] is the only place that says what is an acknowledgement.
//! * Nothing is done after a response: Cloud Run takes the CPU away. Whoever waits for a row waits
//!   for its fate.
//! * [`decode`] touches nothing but its arguments: no I/O, no clock, no log.
//! * A [`sink`] stores rows and makes no decision. The batcher does not know BigQuery, and BigQuery
//!   does not know who waits.
//! * Names and types of columns live in `schema/` and in the template table, and nowhere else.
//! * Only [`config`] reads the environment; only [`assembly`], [`service`], [`cli`] and `local::topology` put parts
//!   together.
//! * Imports run `decode ◀ sink ◀ pipeline ◀ source ◀ assembly ◀ service ◀ cli`. [`local`] stands beside them:
//!   it plays Google Cloud's side over real sockets, and the service cannot tell.

#![forbid(unsafe_code)]

pub mod ack;
pub mod cli;
pub mod config;
pub mod decode;
pub mod google;
#[cfg(feature = "local")]
pub mod local;
pub mod pipeline;
pub mod service;
pub mod sink;
pub mod source;
pub mod table_limit;
pub mod telemetry;
