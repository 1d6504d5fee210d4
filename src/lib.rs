//! wip
#![forbid(unsafe_code)]

pub mod cli;
pub mod config;
pub mod decode;
#[cfg(feature = "local")]
pub mod local;
pub mod metrics;
pub mod outcome;
pub mod pipeline;
pub mod service;
pub mod sink;
pub mod source;
pub mod telemetry;
