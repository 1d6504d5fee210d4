//! The input of `explain` and `sign`: arguments, then the lines of a file or of standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::error::{CliError, printed};
use crate::config::Problems;

/// Why the command stops early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("invalid settings:\n{0}")]
    Settings(#[from] Problems),
    #[error("no input: give URLs, or --input FILE (- for standard input)")]
    NoInput,
    #[error("cannot read {}: {error}", file.display())]
    Input { file: PathBuf, error: io::Error },
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// The exit code, after printing the error.
pub(crate) fn exit(ended: Result<(), InputError>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(InputError::Output(error)) => printed(Err(error)).map_or_else(CliError::report, |()| ExitCode::SUCCESS),
        Err(error @ (InputError::Settings(_) | InputError::NoInput | InputError::Input { .. })) => CliError::usage(error).report(),
    }
}

/// Each line of a file that is not empty, without its end; `-` is standard input.
pub(crate) fn each_line(file: &Path, mut see: impl FnMut(&[u8]) -> Result<(), InputError>) -> Result<(), InputError> {
    let failed = |error| InputError::Input { file: file.to_owned(), error };
    let mut lines: Box<dyn BufRead> =
        if file.as_os_str() == "-" { Box::new(io::stdin().lock()) } else { Box::new(BufReader::new(File::open(file).map_err(failed)?)) };
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        if !line.trim_ascii().is_empty() {
            see(line.trim_ascii())?;
        }
        line.clear();
    }
    Ok(())
}
