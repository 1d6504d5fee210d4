//! Files on this machine.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::documents::{Documents, OpenError, Position};
use crate::cli::replay::identity::Identity;

/// An existing file or pipe.
#[derive(Debug)]
pub(crate) struct InputFile {
    path: PathBuf,
    /// The absolute path.
    pub(crate) name: String,
    /// `None` for a pipe: it has no length and cannot be read twice.
    pub(crate) identity: Option<Identity>,
}

/// Why an argument is not an input.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("cannot use {pattern:?} as a pattern: {error}")]
    Pattern { pattern: String, error: glob::PatternError },
    #[error("cannot read {0:?}: no file matches it")]
    NoMatch(String),
    #[error("cannot read {name}: {cause}")]
    Format { name: String, cause: String },
    #[error("cannot read {}: it is a directory; to read the files in it, give {}", path.display(), path.join("*").display())]
    Directory { path: PathBuf },
    #[error("cannot read {}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
}

/// The files that an argument names: the file of that name, otherwise the files that match it as a pattern, in order.
pub(crate) fn matching(argument: &str) -> Result<Vec<InputFile>, FileError> {
    // A name may contain a `[`.
    if Path::new(argument).exists() || !argument.contains(['*', '?', '[']) {
        return Ok(vec![InputFile::new(argument.into())?]);
    }
    let paths = glob::glob(argument).map_err(|error| FileError::Pattern { pattern: argument.to_owned(), error })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| FileError::File { path: error.path().to_owned(), error: error.into() })?;
        files.push(InputFile::new(path)?);
    }
    if files.is_empty() { Err(FileError::NoMatch(argument.to_owned())) } else { Ok(files) }
}

impl InputFile {
    fn new(path: PathBuf) -> Result<Self, FileError> {
        if path.is_dir() {
            return Err(FileError::Directory { path });
        }
        let describe = || {
            let absolute = path.canonicalize()?;
            let identity = if absolute.metadata()?.is_file() { Some(Identity::of_file(&absolute)?) } else { None };
            Ok((absolute.display().to_string(), identity))
        };
        match describe() {
            Ok((name, identity)) => Ok(Self { path, name, identity }),
            Err(error) => Err(FileError::File { path, error }),
        }
    }

    /// Refuses a file in another format than JSON. A pipe cannot be read twice: its format is checked when it is opened.
    pub(crate) fn check_format(&self) -> Result<(), FileError> {
        let Some(file) = self.identity.as_ref().and_then(|_| self.open().ok()) else { return Ok(()) };
        match Documents::open(file, Position::default()) {
            Err(OpenError::Foreign(format)) => {
                let name = self.path.display().to_string();
                Err(FileError::Format { cause: format.describe(Some(&name)), name })
            }
            // Reported when the file is read.
            Ok(_) | Err(OpenError::Read(_)) => Ok(()),
        }
    }

    pub(crate) fn size(&self) -> Option<u64> {
        match self.identity {
            Some(Identity::File { size, .. }) => Some(size),
            _ => None,
        }
    }

    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}
