//! The pipeline, through the front door: real processes, real sockets, the real client against the
//! embedded BigQuery. Each module is a part of the specification.

mod commands;
mod faults;
mod local;
mod pubsub_emulator;
mod push;
mod sink;
mod support;
mod telemetry;
mod views;
