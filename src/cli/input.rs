//! The input of `explain` and `sign`: arguments, then the messages or the lines of a file or of standard input.

use std::fs::File;
use std::io::{self, BufRead as _, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::documents::message::{self, Message};
use super::documents::{self, BrokenReason, Documents, OpenError, Position, Unusable};
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
    #[error("cannot read {}: {cause}", file.display())]
    Format { file: PathBuf, cause: String },
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// The exit code, after printing the error.
pub(crate) fn exit(ended: Result<(), InputError>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(InputError::Output(error)) => printed(Err(error)).map_or_else(CliError::report, |()| ExitCode::SUCCESS),
        Err(error @ (InputError::Settings(_) | InputError::NoInput | InputError::Input { .. } | InputError::Format { .. })) => {
            CliError::usage(error).report()
        }
    }
}

/// Each line of a file that is not empty, without its end; `-` is standard input.
pub(crate) fn each_line(file: &Path, mut see: impl FnMut(&[u8]) -> Result<(), InputError>) -> Result<(), InputError> {
    let failed = |error| InputError::Input { file: file.to_owned(), error };
    let mut lines = documents::open_text(open(file).map_err(failed)?).map_err(|error| not_opened(file, &error))?;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        if !line.trim_ascii().is_empty() {
            see(line.trim_ascii())?;
        }
        line.clear();
    }
    Ok(())
}

/// Each message in a file, read as `replay` reads it. What is not JSON is a message, too, which cannot be decoded. Returns how
/// many there were.
pub(crate) fn each_message(file: &Path, mut see: impl FnMut(&Message) -> Result<(), InputError>) -> Result<u64, InputError> {
    let failed = |error| InputError::Input { file: file.to_owned(), error };
    let raw = open(file).map_err(failed)?;
    let mut documents = Documents::open(raw, Position::default()).map_err(|error| not_opened(file, &error))?;
    let (mut count, mut unusable) = (0, None);
    while let Some(document) = documents.next_document().map_err(failed)? {
        let messages = match document.broken {
            // Only the beginning of it is known, so it has no outcome.
            Some(reason @ (BrokenReason::TooLong | BrokenReason::ArrayNotClosed)) => {
                let cause = format!("line {}: {}", document.place, Unusable::of_document(&document, reason).detail);
                unusable.get_or_insert(InputError::Format { file: file.to_owned(), cause });
                continue;
            }
            Some(BrokenReason::NotJson | BrokenReason::Truncated) => vec![Message::raw(document.text)],
            None => message::messages(&document.text),
        };
        count += messages.len() as u64;
        messages.iter().try_for_each(&mut see)?;
    }
    unusable.map_or(Ok(count), Err)
}

fn not_opened(file: &Path, error: &OpenError) -> InputError {
    let name = file.to_str().filter(|name| *name != "-");
    InputError::Format { file: file.to_owned(), cause: error.describe(name) }
}

/// `-` is standard input.
pub(crate) fn open(file: &Path) -> io::Result<Box<dyn Read>> {
    if file.as_os_str() == "-" { Ok(Box::new(io::stdin().lock())) } else { Ok(Box::new(File::open(file)?)) }
}
