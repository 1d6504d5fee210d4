//! The errors of all commands, with the exit code of each kind and the prefix `error: `.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use super::output;
use crate::telemetry::{LogFormat, with_causes};

/// The exit codes of all commands, for `--help` and docs/settings.md.
pub(crate) const EXIT_CODES: &str = include_str!("exit_codes.txt");

/// Why a command ends without success.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CliError {
    /// The command line, a setting or an input file is wrong. Nothing has been done.
    Usage(String),
    /// Everything else.
    Failed(String),
}

impl CliError {
    pub(crate) fn usage(problem: impl Display) -> Self {
        Self::Usage(problem.to_string())
    }

    pub(crate) fn failed(problem: impl Display) -> Self {
        Self::Failed(problem.to_string())
    }

    /// `cannot <what>`, with all causes.
    pub(crate) fn cannot(what: &str, cause: &dyn std::error::Error) -> Self {
        Self::failed(format!("cannot {what}: {}", with_causes(cause)))
    }

    /// Mistakes in the settings.
    pub(crate) fn settings(problems: impl Display) -> Self {
        Self::Usage(format!("invalid settings:\n{problems}"))
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Usage(message) | Self::Failed(message) => message,
        }
    }

    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
        }
    }

    /// Reports the error of a service. Cloud Logging reads JSON lines.
    pub(crate) fn log_or_report(self, format: LogFormat) -> ExitCode {
        if format.is_json() {
            tracing::error!("{}", self.message());
            return self.code();
        }
        self.report()
    }

    /// Prints the error. The message must be [`printable`](super::printable).
    pub(crate) fn report(self) -> ExitCode {
        output::note(format_args!("error: {}", self.message()));
        self.code()
    }
}

/// The result of printing, for a command that has nothing else to do. A reader may close its pipe early, as `head` does.
pub(crate) fn printed(result: io::Result<()>) -> Result<(), CliError> {
    match result {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::cannot("write to standard output", &error)),
        _ => Ok(()),
    }
}

/// Prints help, or the mistake in the command line.
pub(crate) fn report_clap(error: &clap::Error) -> ExitCode {
    let result = error.print().and_then(|()| io::stdout().flush());
    if error.use_stderr() {
        return ExitCode::from(2);
    }
    printed(result).map_or_else(CliError::report, |()| ExitCode::SUCCESS)
}
