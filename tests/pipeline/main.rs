//! Tests of the pipeline as a process: requests over HTTP, rows in the BigQuery emulator. Each module tests one part; the
//! shared parts are in `support`.

mod commands;
mod faults;
mod local;
mod pubsub_emulator;
mod pull;
mod push;
mod sink;
mod support;
mod telemetry;
mod views;
