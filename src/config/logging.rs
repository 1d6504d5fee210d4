//! The settings of the log.

use super::settings::{LOG_FORMAT, RUST_LOG};
use super::{Problems, RawSettings, Values};
use crate::telemetry::LogFormat;

impl RawSettings {
    /// LOG_FORMAT. An invalid value counts as `auto`, because logging must start before mistakes can be logged.
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
