//! The settings of the log.

use super::settings::{LOG_FORMAT, RUST_LOG};
use super::{Given, Problems, Values};
use crate::telemetry::LogFormat;

impl Given {
    /// LOG_FORMAT, leniently: the mistakes themselves have to be logged somehow.
    pub fn log_format(&self) -> LogFormat {
        match self.raw(&LOG_FORMAT).trim().to_ascii_lowercase().as_str() {
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            _ => LogFormat::Auto,
        }
    }

    /// RUST_LOG.
    pub fn log_level(&self) -> &str {
        self.raw(&RUST_LOG)
    }
}

/// The format is checked by its kind.
pub(crate) fn check(values: &Values, problems: &mut Problems) {
    problems.check(RUST_LOG.name, values.text(&RUST_LOG).parse::<tracing_subscriber::filter::Targets>());
}
