//! Messages of a pull subscription, by StreamingPull through Google's client.
//!
//! ```text
//! Pub/Sub ── StreamingPull ──▶ stream ──▶ worker ──▶ pipeline ──▶ ack::Outcome
//!    ▲                                      │
//!    └────────── acks, nacks, leases ◀──────┘
//! ```
//!
//! | step | who |
//! |---|---|
//! | limit the messages that are delivered and not answered | Pub/Sub, by MAX_IN_FLIGHT and MAX_IN_FLIGHT_BYTES; the worker, after a stream was opened again |
//! | extend the lease of a message until it is answered | Google's client |
//! | open the stream again after a transient error | Google's client, and [`stream`] for errors that it considers permanent |
//! | send acks in batches | Google's client, every 100 ms or 1,000 messages |
//!
//! `replay --subscription` uses [`subscription`], [`stream`] and [`message`] with its own loop.

pub mod client;
pub mod message;
pub mod processor;
pub mod stream;
pub mod subscription;
pub mod worker;
