//! The settings of the deployment, which stand below flags and environment: deploy/pipeline.env, or another file of
//! its form.
//!
//! Its lines become defaults of clap's arguments, and the command line is read again. So the order of precedence, the
//! types and the throttle stay clap's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches};

use super::{Cli, usage};

/// Where deploy.sh looks.
const FILE: &str = "deploy/pipeline.env";

/// Which file.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct SettingsFile {
    /// Settings of the deployment, NAME=value a line [default: deploy/pipeline.env, if it is there]
    #[arg(long = "settings", value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
}

/// What is in it.
#[derive(Debug, Default)]
pub(crate) struct Settings(pub(crate) Vec<(String, String)>);

/// Why the settings cannot be told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadSettings {
    #[error("cannot read {}: {error}", file.display())]
    Unreadable { file: PathBuf, error: std::io::Error },
    #[error("{}:{line}: {text:?} is not NAME=value", file.display())]
    BadLine { file: PathBuf, line: usize, text: String },
    #[error(transparent)]
    Clap(#[from] clap::Error),
}

impl BadSettings {
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Clap(error) => error.exit(),
            error => usage(&error.to_string()),
        }
    }
}

impl SettingsFile {
    /// `local` has its own settings: without a word, the file of a deployment does not count there.
    pub(crate) fn read(&self, is_local: bool) -> Result<Settings, BadSettings> {
        match &self.path {
            Some(file) => read(file),
            None if is_local || !Path::new(FILE).exists() => Ok(Settings::default()),
            None => read(Path::new(FILE)),
        }
    }

    /// The arguments of a subcommand once more, above what the file says.
    pub(crate) fn under<A: FromArgMatches>(&self, subcommand: &'static str, is_local: bool) -> Result<A, BadSettings> {
        let settings = self.read(is_local)?;
        let matches = above(subcommand, |name| settings.get(name).map(str::to_owned), std::env::args_os())?;
        Ok(A::from_arg_matches(&matches)?)
    }
}

impl Settings {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What a command line says to a subcommand above these defaults, which go by the names of environment variables.
pub(crate) fn above(
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

/// Reads NAME=value lines. As deploy.sh does, which takes an empty value for none, but for the suffix: empty, it
/// makes a single table.
fn read(file: &Path) -> Result<Settings, BadSettings> {
    let text = std::fs::read_to_string(file).map_err(|error| BadSettings::Unreadable { file: file.to_owned(), error })?;
    let mut settings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        match line.split_once('=').filter(|(name, _)| is_name(name)) {
            Some((name, "")) if name != "TABLE_SUFFIX" => {}
            Some((name, value)) => settings.push((name.to_owned(), value.to_owned())),
            None => return Err(BadSettings::BadLine { file: file.to_owned(), line: index + 1, text: line.to_owned() }),
        }
    }
    Ok(Settings(settings))
}
