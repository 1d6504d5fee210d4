//! The settings of the log.

use std::io::IsTerminal as _;

use super::settings::{LOG_FORMAT, RUST_LOG};
use super::{Given, Problems, Values};

/// LOG_FORMAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON, unless standard error is a terminal.
    Auto,
    /// One JSON object a line.
    Json,
    /// For a person.
    Text,
}

impl LogFormat {
    /// Whether standard error gets JSON.
    pub fn is_json(self) -> bool {
        match self {
            Self::Auto => !std::io::stderr().is_terminal(),
            Self::Json => true,
            Self::Text => false,
        }
    }
}

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
pub(super) fn check(values: &Values, problems: &mut Problems) {
    problems.check(RUST_LOG.name, values.text(&RUST_LOG).parse::<tracing_subscriber::filter::Targets>());
}
