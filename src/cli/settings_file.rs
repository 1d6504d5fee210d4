//! The settings file of a deployment: deploy/pipeline.env, or another file of that form. Flags and environment variables
//! win over it.
//!
//! Its lines become defaults of clap's arguments, and the command line is read again. So clap decides on precedence, types
//! and errors.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches};

use super::error::report_clap;
use super::{Cli, usage};

/// The file that deploy.sh reads.
const DEFAULT_FILE: &str = "deploy/pipeline.env";

/// The path of the file.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SettingsFile {
    /// Settings file of the deployment, with a line NAME=value for each setting [default: deploy/pipeline.env, if it exists]
    #[arg(long = "settings", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
}

/// The lines of the file: names and values.
#[derive(Debug, Default)]
pub(crate) struct FileSettings(pub(crate) Vec<(String, String)>);

/// Why the settings file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsFileError {
    #[error("cannot read {}: {error}", file.display())]
    Unreadable { file: PathBuf, error: std::io::Error },
    #[error("{}:{line}: {text:?} is not NAME=value", file.display())]
    BadLine { file: PathBuf, line: usize, text: String },
    #[error(transparent)]
    Clap(#[from] clap::Error),
}

impl SettingsFileError {
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Clap(error) => report_clap(&error),
            error => usage(&error.to_string()),
        }
    }
}

impl SettingsFile {
    /// For an emulator, only a file of --settings is read, not the default file: an emulator is not the deployment.
    pub(crate) fn read(&self, is_local: bool) -> Result<FileSettings, SettingsFileError> {
        match &self.path {
            Some(file) => read(file),
            None if is_local || !Path::new(DEFAULT_FILE).exists() => Ok(FileSettings::default()),
            None => read(Path::new(DEFAULT_FILE)),
        }
    }

    /// The arguments of a subcommand, read again with the file's values as defaults.
    pub(crate) fn merge_file<A: FromArgMatches>(&self, subcommand: &'static str, is_local: bool) -> Result<A, SettingsFileError> {
        let settings = self.read(is_local)?;
        let matches = with_defaults(subcommand, |name| settings.get(name).map(str::to_owned), std::env::args_os())?;
        Ok(A::from_arg_matches(&matches)?)
    }
}

impl FileSettings {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The arguments of a subcommand, with these defaults. A default has the name of the argument's environment variable.
pub(crate) fn with_defaults(
    subcommand: &'static str,
    default: impl Fn(&str) -> Option<String>,
    line: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, clap::Error> {
    let command = Cli::command().mut_subcommand(subcommand, |command| {
        command.mut_args(|arg| match arg.get_env().and_then(|name| default(name.to_str()?)) {
            Some(value) => arg.default_value(value),
            None => arg,
        })
    });
    let matches = command.try_get_matches_from(line)?;
    Ok(matches.subcommand_matches(subcommand).cloned().unwrap_or_default())
}

/// Reads NAME=value lines by the rules of deploy.sh: an empty value counts as not set, except for TABLE_SUFFIX, where it
/// means a single table.
fn read(file: &Path) -> Result<FileSettings, SettingsFileError> {
    let text = std::fs::read_to_string(file).map_err(|error| SettingsFileError::Unreadable { file: file.to_owned(), error })?;
    let mut settings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        match line.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, "")) if name != "TABLE_SUFFIX" => {}
            Some((name, value)) => settings.push((name.to_owned(), value.to_owned())),
            None => return Err(SettingsFileError::BadLine { file: file.to_owned(), line: index + 1, text: line.to_owned() }),
        }
    }
    Ok(FileSettings(settings))
}
